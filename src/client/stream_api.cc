#include <vector>

#include "base/secret.h"
#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "client/stream_format.h"
#include "client/stream_input.h"
#include "client/stream_pipeline.h"
#include "protocol/aes_messages.h"
#include "protocol/service_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

// Stream is what both directions have in common: chunks go to the service in order, several at once, and their answers
// are handed on in order.
class Stream {
 public:
  Stream(const Session& session, const wvds_stream_io& io, Bytes aad)
      : io_(io), aad_(aad), input_(io), pipeline_(session) {}
  virtual ~Stream() = default;

 protected:
  // send reads the next chunk into the reserved slot and submits it; it sets more_ to false where nothing follows.
  virtual Result<> send() = 0;
  virtual Result<> deliver(const Pipeline::Answer& answer) = 0;

  Result<> send_all() {
    while (more_ || !pipeline_.empty()) {
      while (pipeline_.answered()) WVDS_TRY(deliver_oldest());
      bool has_room = false;
      if (more_) {
        WVDS_ASSIGN(reserved, pipeline_.reserve());
        has_room = reserved;
      }
      if (has_room) {
        WVDS_TRY(send());
      } else if (!pipeline_.empty()) {
        WVDS_TRY(deliver_oldest());
      }
    }
    return {};
  }

  // data_place is where the chunk's bytes stand in the reserved slot, behind key id, length of the AAD, and the AAD.
  MutableBytes data_place(size_t size) const { return pipeline_.payload().subspan(aad_end(), size); }

  Result<> submit(Operation operation, uint32_t key_id, const ChunkHead& chunk, size_t data_size, size_t answer_size) {
    const ChunkHeadBytes head = chunk.encode(header_.id);
    const StreamHeaderBytes header = header_.encode();
    WVDS_ASSIGN(used, protocol::encode_aes_request_head(key_id, aad_size(), pipeline_.payload()));
    Writer aad(pipeline_.payload().subspan(used, aad_size()));
    aad.bytes(header);
    aad.bytes(head);
    aad.bytes(aad_);
    WVDS_TRY(aad.finish());
    return pipeline_.submit(operation, aad_end() + data_size, answer_size, chunk);
  }

  Result<> write(Bytes bytes) {
    if (bytes.empty()) return {};
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    if (io_.write(io_.user_data, data, bytes.size()) != WVDS_SUCCESS) return fail(Status::kCallbackFailed);
    return {};
  }

  const wvds_stream_io& io_;
  const Bytes aad_;
  StreamInput input_;
  Pipeline pipeline_;
  StreamHeader header_;
  uint32_t next_index_ = 0;
  bool more_ = true;

 private:
  size_t aad_size() const { return kStreamHeaderSize + kChunkHeadSize + aad_.size(); }
  size_t aad_end() const { return protocol::kAesRequestFixedSize + aad_size(); }

  Result<> deliver_oldest() {
    WVDS_ASSIGN(answer, pipeline_.front());
    WVDS_TRY(deliver(answer));
    pipeline_.pop();
    return {};
  }
};

class EncryptingStream : public Stream {
 public:
  using Stream::Stream;

  Result<> run(uint32_t key_id) {
    header_.key_id = key_id;
    WVDS_TRY(draw_id());
    return send_all();
  }

 private:
  Result<> draw_id() {
    WVDS_TRY(pipeline_.reserve());
    WVDS_ASSIGN(length, protocol::RandomRequest{.length = kStreamIdSize}.encode(pipeline_.payload()));
    WVDS_TRY(pipeline_.submit(Operation::kRandom, length, kStreamIdSize));
    WVDS_ASSIGN(answer, pipeline_.front());
    answer.bytes.copy_to(header_.id);
    pipeline_.pop();
    return {};
  }

  Result<> send() override {
    WVDS_ASSIGN(length, input_.fill(data_place(kStreamChunkSize)));
    WVDS_ASSIGN(is_final, input_.at_end());
    WVDS_ASSIGN(chunk, ChunkHead::of(next_index_++, is_final, length));
    more_ = !is_final;
    return submit(Operation::kAesEncrypt, header_.key_id, chunk, length, chunk.sealed_size());
  }

  // Ciphertext goes out of the shared memory as it lies there: who could change it is who made it.
  Result<> deliver(const Pipeline::Answer& answer) override {
    if (answer.chunk.index == 0) WVDS_TRY(write(header_.encode()));
    WVDS_TRY(write(answer.chunk.encode(header_.id)));
    return write(answer.bytes.in_place());
  }
};

class DecryptingStream : public Stream {
 public:
  using Stream::Stream;
  ~DecryptingStream() override {
    if (!plaintext_.empty()) secure_wipe(plaintext_.data(), plaintext_.size());
  }

  Result<> run(uint32_t key_id) {
    WVDS_TRY(read_header());
    key_id_ = key_id != 0 ? key_id : header_.key_id;
    plaintext_.resize(header_.chunk_size);
    WVDS_TRY(send_all());
    WVDS_TRY(fault_);
    WVDS_ASSIGN(is_end, input_.at_end());
    if (!is_end) return fail(Status::kStreamDataAfterEnd);
    return {};
  }

 private:
  Result<> read_header() {
    StreamHeaderBytes bytes;
    WVDS_ASSIGN(length, input_.fill(bytes));
    WVDS_ASSIGN(header, StreamHeader::decode(Bytes(bytes).first(length)));
    header_ = header;
    return {};
  }

  // A fault of the input is kept until everything before it was handed out: a wrong tag there comes first.
  Result<> send() override {
    const auto chunk = read_chunk();
    if (!chunk && chunk.error().status == Status::kCallbackFailed) return fail(Status::kCallbackFailed);
    if (!chunk) {
      fault_ = fail(chunk.error().status);
      more_ = false;
      return {};
    }
    more_ = !chunk->is_final;
    ++next_index_;
    return submit(Operation::kAesDecrypt, key_id_, *chunk, chunk->sealed_size(), chunk->length);
  }

  Result<ChunkHead> read_chunk() {
    ChunkHeadBytes bytes;
    WVDS_TRY(fill_whole(bytes));
    WVDS_ASSIGN(chunk, ChunkHead::decode(bytes, header_, next_index_));
    WVDS_TRY(fill_whole(data_place(chunk.sealed_size())));
    return chunk;
  }

  Result<> fill_whole(MutableBytes out) {
    WVDS_ASSIGN(length, input_.fill(out));
    if (length != out.size()) return fail(Status::kStreamTruncated);
    return {};
  }

  // The plaintext is copied out first: the caller may look at it as often as it likes, and it does not change.
  Result<> deliver(const Pipeline::Answer& answer) override { return write(answer.bytes.copy_to(plaintext_)); }

  uint32_t key_id_ = 0;
  std::vector<std::byte> plaintext_;
  Result<> fault_;
};

struct Arguments {
  const Session* session;
  Bytes aad;
};

Result<Arguments> check(wvds_session* session, const wvds_stream_io* io, const uint8_t* aad, size_t aad_len) {
  WVDS_ASSIGN(live, session_of(session));
  WVDS_TRY(client::require(io != nullptr && io->read != nullptr && io->write != nullptr));
  WVDS_ASSIGN(extra, input_bytes(aad, aad_len));
  if (extra.size() > kMaxStreamAadSize) return fail(Status::kPayloadTooLarge);
  return Arguments{live, extra};
}

}  // namespace

wvds_status wvds_stream_encrypt(wvds_session* session, const wvds_stream_io* io, uint32_t key_id, const uint8_t* aad,
                                size_t aad_len) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(arguments, check(session, io, aad, aad_len));
    WVDS_TRY(client::require(key_id != 0));
    return EncryptingStream(*arguments.session, *io, arguments.aad).run(key_id);
  });
}

wvds_status wvds_stream_decrypt(wvds_session* session, const wvds_stream_io* io, uint32_t key_id, const uint8_t* aad,
                                size_t aad_len) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(arguments, check(session, io, aad, aad_len));
    return DecryptingStream(*arguments.session, *io, arguments.aad).run(key_id);
  });
}

wvds_status wvds_stream_key(uint32_t* out_key_id, const uint8_t* start, size_t start_len) {
  clear(out_key_id);
  return guard([&]() -> Result<> {
    WVDS_TRY(client::require(out_key_id != nullptr));
    WVDS_ASSIGN(bytes, input_bytes(start, start_len));
    WVDS_ASSIGN(header, StreamHeader::decode(bytes));
    *out_key_id = header.key_id;
    return {};
  });
}
