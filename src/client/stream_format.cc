#include "client/stream_format.h"

#include <algorithm>

#include "base/algorithm.h"
#include "protocol/aes_messages.h"
#include "protocol/frame.h"
#include "wvds_crypto.h"

namespace wvds::client {
namespace {

constexpr std::string_view kMagic = "WVDS";
constexpr uint8_t kVersion = 1;
constexpr uint16_t kFinal = 0x0001;

static_assert(WVDS_STREAM_HEADER_SIZE == kStreamHeaderSize);
static_assert(WVDS_STREAM_CHUNK_SIZE == kStreamChunkSize);
static_assert(WVDS_STREAM_CHUNK_OVERHEAD == kChunkHeadSize + kNonceSize + kTagSize);
static_assert(WVDS_STREAM_MAX_AAD_SIZE == kMaxStreamAadSize);
static_assert(kStreamChunkSize <= UINT16_MAX);
static_assert(kStreamChunkSize + kStreamHeaderSize + kChunkHeadSize + kMaxStreamAadSize <= WVDS_AES_MAX_SIZE);

// begins_as_magic is also true for the beginning of the magic where there is no more.
bool begins_as_magic(Bytes start) {
  const size_t count = std::min(start.size(), kMagic.size());
  return std::ranges::equal(start.first(count), as_bytes(kMagic.substr(0, count)));
}

// is_length tells whether a chunk may have this much plaintext. A final chunk is empty in an empty stream only, so that
// every plaintext has one way to be cut.
bool is_length(const ChunkHead& head, uint32_t chunk_size) {
  if (!head.is_final) return head.length == chunk_size && head.index != kLastChunkIndex;
  return head.length <= chunk_size && (head.length != 0 || head.index == 0);
}

}  // namespace

StreamHeaderBytes StreamHeader::encode() const {
  StreamHeaderBytes out;
  Writer writer(out);
  writer.text(kMagic);
  writer.u8(kVersion);
  writer.u8(static_cast<uint8_t>(Algorithm::kAes256Gcm));
  writer.u16(0);
  writer.u32(key_id);
  writer.u32(chunk_size);
  writer.bytes(id);
  return out;
}

Result<StreamHeader> StreamHeader::decode(Bytes start) {
  if (!begins_as_magic(start)) return fail(Status::kStreamUnreadable);
  Reader reader(start);
  reader.bytes(kMagic.size());
  const uint8_t version = reader.u8();
  const uint8_t algorithm = reader.u8();
  const uint16_t zero = reader.u16();
  StreamHeader header;
  header.key_id = reader.u32();
  header.chunk_size = reader.u32();
  reader.copy(header.id);
  if (start.size() > kMagic.size() && version > kVersion) return fail(Status::kStreamNewerVersion);
  if (reader.failed()) return fail(Status::kStreamTruncated);
  if (version == kVersion && algorithm != static_cast<uint8_t>(Algorithm::kAes256Gcm)) {
    return fail(Status::kStreamNewerVersion);
  }
  const bool is_sound = version == kVersion && zero == 0 && header.key_id != 0 && header.chunk_size != 0 &&
                        header.chunk_size <= kStreamChunkSize;
  if (!is_sound) return fail(Status::kStreamUnreadable);
  return header;
}

Result<ChunkHead> ChunkHead::of(uint32_t index, bool is_final, size_t length) {
  if (!is_final && index == kLastChunkIndex) return fail(Status::kPayloadTooLarge);
  return ChunkHead{index, is_final, static_cast<uint16_t>(length)};
}

ChunkHeadBytes ChunkHead::encode(const StreamId& id) const {
  ChunkHeadBytes out;
  Writer writer(out);
  writer.bytes(Bytes(id).first(kChunkMarkSize));
  writer.u32(index);
  writer.u16(is_final ? kFinal : 0);
  writer.u16(length);
  return out;
}

Result<ChunkHead> ChunkHead::decode(const ChunkHeadBytes& bytes, const StreamHeader& stream, uint32_t expected_index) {
  Reader reader{Bytes(bytes)};
  std::array<std::byte, kChunkMarkSize> mark;
  reader.copy(mark);
  ChunkHead head;
  head.index = reader.u32();
  const uint16_t flags = reader.u16();
  head.length = reader.u16();
  head.is_final = (flags & kFinal) != 0;
  if (!std::ranges::equal(mark, Bytes(stream.id).first(kChunkMarkSize))) return fail(Status::kStreamForeignChunk);
  if (head.index != expected_index) return fail(Status::kStreamOutOfOrder);
  if ((flags & ~kFinal) != 0 || !is_length(head, stream.chunk_size)) return fail(Status::kStreamUnreadable);
  return head;
}

size_t ChunkHead::sealed_size() const { return kNonceSize + length + kTagSize; }

}  // namespace wvds::client
