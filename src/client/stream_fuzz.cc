// Fuzzes wvds_stream_decrypt: header, chunks and their order, with a cipher that believes every tag. The first byte
// says in which pieces the input comes. Properties: what is accepted is what encrypting the same chunks again writes,
// byte for byte (there is one form of each stream); what is handed out is whole chunks; every slot is given back.

#include <cstdlib>
#include <span>
#include <vector>

#include "client/stream_format.h"
#include "client/testing/stream_bed.h"

namespace wvds::client::testing {
namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

// The answer to AES_DECRYPT is the ciphertext as it is.
Buffer believe(const Seen& request) {
  const auto decrypt = protocol::AesDecryptRequest::decode(protocol::testing::untrusted(request.payload));
  expect(request.type == WVDS_OP_AES_DECRYPT && decrypt.has_value());
  return frame(protocol::testing::copy_of(decrypt->ciphertext));
}

// rebuilt is the stream with that header and plaintext, with nonces and tags of `like`.
Buffer rebuilt(const StreamHeader& header, const Buffer& plaintext, const Buffer& like) {
  const StreamHeaderBytes start = header.encode();
  Buffer out(start.begin(), start.end());
  const auto copy = [&](Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); };
  size_t done = 0;
  for (uint32_t index = 0; index == 0 || done < plaintext.size(); ++index) {
    const size_t length = std::min<size_t>(header.chunk_size, plaintext.size() - done);
    const auto chunk = ChunkHead::of(index, done + length == plaintext.size(), length);
    expect(chunk.has_value());
    copy(chunk->encode(header.id));
    copy(Bytes(like).subspan(out.size(), kNonceSize));
    copy(Bytes(plaintext).subspan(done, length));
    copy(Bytes(like).subspan(out.size(), kTagSize));
    done += length;
  }
  return out;
}

void check(const Buffer& input, size_t piece) {
  static FakeService service;
  static wvds_session* session = [] {
    fake_service = &service;
    service.answer = believe;
    wvds_session* opened = nullptr;
    expect(open_session(&opened, "fuzz", &connect_to_fake, WVDS_DEFAULT_TIMEOUT).has_value());
    return opened;
  }();
  service.seen.clear();
  MemoryIo memory(input);
  memory.piece = piece;
  const wvds_stream_io io = memory.io();
  const wvds_status status = wvds_stream_decrypt(session, &io, 0, nullptr, 0);
  expect(service.busy_slots == 0);
  const auto header = StreamHeader::decode(input);
  if (!header) return expect(status == static_cast<wvds_status>(header.error().status) && memory.output.empty());
  if (status == WVDS_SUCCESS) return expect(rebuilt(*header, memory.output, input) == input);
  expect(status >= WVDS_STREAM_UNREADABLE && status <= WVDS_STREAM_DATA_AFTER_END);
  expect(status == WVDS_STREAM_DATA_AFTER_END || memory.output.size() % header->chunk_size == 0);
}

}  // namespace
}  // namespace wvds::client::testing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using namespace wvds::client::testing;
  if (size == 0) return 0;
  const wvds::Bytes input = std::as_bytes(std::span(bytes + 1, size - 1));
  check(Buffer(input.begin(), input.end()), bytes[0] == 0 ? SIZE_MAX : bytes[0]);
  return 0;
}
