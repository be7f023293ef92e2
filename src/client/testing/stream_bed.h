#pragma once

#include <algorithm>
#include <array>

#include "client/stream_format.h"
#include "client/testing/fake_service.h"
#include "client/testing/memory_io.h"
#include "protocol/aes_messages.h"
#include "protocol/service_messages.h"

// What tests of streams share: a service whose cipher is a toy. The toy's tag depends on key, nonce, AAD and plaintext
// as a real one does, so that what is bound shows.
namespace wvds::client::testing {

// ToyCipher answers AES_ENCRYPT, AES_DECRYPT and RANDOM.
class ToyCipher {
 public:
  Buffer answer(const Seen& request) {
    switch (static_cast<protocol::Operation>(request.type)) {
      case protocol::Operation::kAesEncrypt: return encrypt(request.payload);
      case protocol::Operation::kAesDecrypt: return decrypt(request.payload);
      case protocol::Operation::kRandom: return frame(repeated(++counter_, 16));
      default: return frame({}, Status::kInvalidType);
    }
  }

 private:
  static Buffer tag(uint32_t key, const Buffer& nonce, const Buffer& aad, const Buffer& plaintext) {
    uint64_t sums[2] = {key, ~uint64_t{key}};
    for (const Buffer* part : {&nonce, &aad, &plaintext}) {
      for (uint64_t& sum : sums) sum = (sum ^ part->size()) * 0x9E3779B97F4A7C15;
      for (const std::byte byte : *part) {
        for (uint64_t& sum : sums) sum = (sum ^ std::to_integer<uint64_t>(byte)) * 0x100000001B3 + (sum >> 40);
      }
    }
    Buffer out(16);
    std::memcpy(out.data(), sums, sizeof sums);
    return out;
  }

  static Buffer masked(Buffer bytes) {
    for (std::byte& byte : bytes) byte ^= std::byte{0x5A};
    return bytes;
  }

  Buffer encrypt(const Buffer& payload) {
    const auto request = protocol::AesEncryptRequest::decode(protocol::testing::untrusted(payload));
    if (!request) return frame({}, request.error().status);
    const Buffer aad = protocol::testing::copy_of(request->aad);
    const Buffer plaintext = protocol::testing::copy_of(request->plaintext);
    const Buffer nonce = repeated(++counter_, 12);
    return frame(join({nonce, masked(plaintext), tag(request->key_id, nonce, aad, plaintext)}));
  }

  static Buffer decrypt(const Buffer& payload) {
    const auto request = protocol::AesDecryptRequest::decode(protocol::testing::untrusted(payload));
    if (!request) return frame({}, request.error().status);
    const Buffer plaintext = masked(protocol::testing::copy_of(request->ciphertext));
    const Buffer right = tag(request->key_id, protocol::testing::copy_of(request->nonce),
                             protocol::testing::copy_of(request->aad), plaintext);
    if (right != protocol::testing::copy_of(request->tag)) return frame({}, Status::kDecryptionFailed);
    return frame(plaintext);
  }

  uint8_t counter_ = 0;
};

// Pieces is a stream taken apart into its header and its chunks, each with its head.
struct Pieces {
  Buffer header;
  std::vector<Buffer> chunks;

  explicit Pieces(const Buffer& stream) {
    const auto part = [&](size_t from, size_t count) {
      const auto begin = stream.begin() + static_cast<ptrdiff_t>(from);
      return Buffer(begin, begin + static_cast<ptrdiff_t>(std::min(count, stream.size() - from)));
    };
    header = part(0, kStreamHeaderSize);
    constexpr size_t kFull = kStreamChunkSize + WVDS_STREAM_CHUNK_OVERHEAD;
    for (size_t at = kStreamHeaderSize; at < stream.size(); at += kFull) chunks.push_back(part(at, kFull));
  }

  Buffer joined() const {
    Buffer all = header;
    for (const Buffer& chunk : chunks) all.insert(all.end(), chunk.begin(), chunk.end());
    return all;
  }
};

// StreamTest has a session with a fake service that has the toy cipher.
class StreamTest : public ClientTest {
 protected:
  static constexpr uint32_t kKey = 7;
  static constexpr size_t kChunk = kStreamChunkSize;

  void SetUp() override {
    service.slots = 8;
    service.answer = [this](const Seen& request) { return cipher.answer(request); };
    ClientTest::SetUp();
  }

  Buffer encrypted(const Buffer& plaintext, const Buffer& aad = {}, uint32_t key = kKey) {
    MemoryIo memory(plaintext);
    const wvds_stream_io io = memory.io();
    EXPECT_EQ(wvds_stream_encrypt(session, &io, key, data(aad), aad.size()), WVDS_SUCCESS);
    EXPECT_EQ(service.busy_slots, 0u);
    return memory.output;
  }

  struct Opened {
    wvds_status status;
    Buffer plaintext;  // what was handed out
  };
  Opened opened(const Buffer& stream, const Buffer& aad = {}, uint32_t key = 0) {
    MemoryIo memory(stream);
    const wvds_stream_io io = memory.io();
    const wvds_status status = wvds_stream_decrypt(session, &io, key, data(aad), aad.size());
    EXPECT_EQ(service.busy_slots, 0u);
    EXPECT_EQ(memory.reads_after_the_end, 0u);
    return {status, memory.output};
  }

  ToyCipher cipher;
};

}  // namespace wvds::client::testing
