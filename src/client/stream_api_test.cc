#include <gtest/gtest.h>

#include "client/testing/stream_bed.h"

namespace wvds::client::testing {
namespace {

using protocol::testing::changed;

class StreamApi : public StreamTest {
 protected:
  // expect_refusal also holds what was handed out before against the plaintext: it is a beginning of it, whole chunks.
  void expect_refusal(const Buffer& stream, wvds_status status, size_t chunks_before, const char* what) {
    const Opened result = opened(stream);
    EXPECT_STREQ(wvds_status_name(result.status), wvds_status_name(status)) << what;
    EXPECT_EQ(result.plaintext.size(), chunks_before * kChunk) << what;
    EXPECT_TRUE(std::ranges::equal(result.plaintext, Bytes(plaintext).first(result.plaintext.size()))) << what;
  }

  const Buffer plaintext = pattern(3 * kChunk + 1000);  // four chunks
};

TEST_F(StreamApi, GivesBackWhatWentIn) {
  for (const size_t size : {size_t{0}, size_t{1}, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 11 * kChunk + 5}) {
    const Buffer bytes = pattern(size);
    const Buffer stream = encrypted(bytes);
    EXPECT_EQ(stream.size(), WVDS_STREAM_SIZE(size)) << size;
    const Opened result = opened(stream);
    EXPECT_EQ(result.status, WVDS_SUCCESS) << size;
    EXPECT_TRUE(result.plaintext == bytes) << size;
  }
}

TEST_F(StreamApi, DoesNotMindHowTheInputComes) {
  for (const size_t piece : {size_t{1}, size_t{7}, kChunk - 1, kChunk + 1}) {
    MemoryIo writing{pattern(kChunk + 3)};
    writing.piece = piece;
    wvds_stream_io io = writing.io();
    ASSERT_EQ(wvds_stream_encrypt(session, &io, kKey, nullptr, 0), WVDS_SUCCESS);
    MemoryIo reading{writing.output};
    reading.piece = piece;
    io = reading.io();
    ASSERT_EQ(wvds_stream_decrypt(session, &io, 0, nullptr, 0), WVDS_SUCCESS);
    EXPECT_TRUE(reading.output == writing.input) << piece;
  }
}

TEST_F(StreamApi, CutsIntoFullChunksAndALastOne) {
  const Buffer stream = encrypted(plaintext);
  const auto header = StreamHeader::decode(stream);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->key_id, kKey);
  const Pieces pieces(stream);
  ASSERT_EQ(pieces.chunks.size(), 4u);
  for (uint32_t i = 0; i < 4; ++i) {
    ChunkHeadBytes head;
    std::ranges::copy_n(pieces.chunks[i].begin(), kChunkHeadSize, head.begin());
    const auto chunk = ChunkHead::decode(head, *header, i);
    ASSERT_TRUE(chunk) << i;
    EXPECT_EQ(chunk->is_final, i == 3);
    EXPECT_EQ(pieces.chunks[i].size(), kChunkHeadSize + chunk->sealed_size());
  }
}

TEST_F(StreamApi, GivesEachStreamAnIdOfItsOwn) {
  EXPECT_NE(Pieces(encrypted({})).header, Pieces(encrypted({})).header);
}

TEST_F(StreamApi, PutsHeaderHeadAndTheCallersAadIntoTheAadOfEveryChunk) {
  const Buffer aad = text("meter 7");
  const Pieces pieces(encrypted(plaintext, aad));
  ASSERT_EQ(service.seen.size(), 5u);  // RANDOM and four chunks
  for (size_t i = 0; i < 4; ++i) {
    const auto request = protocol::AesEncryptRequest::decode(protocol::testing::untrusted(service.seen[i + 1].payload));
    ASSERT_TRUE(request);
    const Buffer head(pieces.chunks[i].begin(), pieces.chunks[i].begin() + kChunkHeadSize);
    EXPECT_EQ(protocol::testing::copy_of(request->aad), join({pieces.header, head, aad}));
  }
}

TEST_F(StreamApi, NoticesWhereAnythingIsMissing) {
  const Buffer stream = encrypted(plaintext);
  constexpr size_t kSealed = kChunk + WVDS_STREAM_CHUNK_OVERHEAD;
  for (size_t chunk = 0; chunk < 4; ++chunk) {
    const size_t at = kStreamHeaderSize + chunk * kSealed;
    for (const size_t length : {at, at + 1, at + kChunkHeadSize - 1, at + kChunkHeadSize, at + kChunkHeadSize + 27,
                                at + 500, std::min(at + kSealed, stream.size()) - 1}) {
      expect_refusal(Buffer(stream.begin(), stream.begin() + static_cast<ptrdiff_t>(length)), WVDS_STREAM_TRUNCATED,
                     chunk, std::to_string(length).c_str());
    }
  }
  for (const size_t length : {0, 1, 31}) {
    expect_refusal(Buffer(stream.begin(), stream.begin() + length), WVDS_STREAM_TRUNCATED, 0, "header");
  }
}

TEST_F(StreamApi, NoticesChunksInAnotherOrder) {
  const Pieces whole(encrypted(plaintext));
  Pieces pieces = whole;
  std::swap(pieces.chunks[1], pieces.chunks[2]);
  expect_refusal(pieces.joined(), WVDS_STREAM_OUT_OF_ORDER, 1, "swapped");
  pieces = whole;
  pieces.chunks.erase(pieces.chunks.begin() + 1);
  expect_refusal(pieces.joined(), WVDS_STREAM_OUT_OF_ORDER, 1, "dropped");
  pieces = whole;
  pieces.chunks.insert(pieces.chunks.begin() + 1, whole.chunks[1]);
  expect_refusal(pieces.joined(), WVDS_STREAM_OUT_OF_ORDER, 2, "repeated");
  pieces = whole;
  pieces.chunks.erase(pieces.chunks.begin());
  expect_refusal(pieces.joined(), WVDS_STREAM_OUT_OF_ORDER, 0, "the first one dropped");
}

TEST_F(StreamApi, NoticesChunksOfAnotherStream) {
  Pieces pieces(encrypted(plaintext));
  const Pieces other(encrypted(plaintext));
  pieces.chunks[2] = other.chunks[2];
  expect_refusal(pieces.joined(), WVDS_STREAM_FOREIGN_CHUNK, 2, "one chunk");
  pieces.header = other.header;
  expect_refusal(pieces.joined(), WVDS_STREAM_FOREIGN_CHUNK, 0, "the header");
}

TEST_F(StreamApi, NoticesChunksOfAnotherStreamThatClaimToBeOfThisOne) {
  Pieces pieces(encrypted(plaintext));
  const Pieces other(encrypted(plaintext));
  const Buffer head(pieces.chunks[1].begin(), pieces.chunks[1].begin() + kChunkHeadSize);
  pieces.chunks[1] = other.chunks[1];
  std::ranges::copy(head, pieces.chunks[1].begin());
  expect_refusal(pieces.joined(), WVDS_DECRYPTION_FAILED, 1, "a forged head");
}

TEST_F(StreamApi, NoticesAChunkThatClaimsAnotherIndexOrToBeTheLast) {
  const Pieces whole(encrypted(plaintext));
  Pieces pieces = whole;
  std::swap(pieces.chunks[1], pieces.chunks[2]);
  std::swap(pieces.chunks[1][8], pieces.chunks[2][8]);
  expect_refusal(pieces.joined(), WVDS_DECRYPTION_FAILED, 1, "indexes exchanged");
  pieces = whole;
  pieces.chunks.resize(2);
  pieces.chunks[1][12] = std::byte{1};
  expect_refusal(pieces.joined(), WVDS_DECRYPTION_FAILED, 1, "an early end");
}

TEST_F(StreamApi, NoticesWhatStandsBehindTheEnd) {
  Buffer stream = encrypted(plaintext);
  stream.push_back(std::byte{0});
  const Opened result = opened(stream);
  EXPECT_EQ(result.status, WVDS_STREAM_DATA_AFTER_END);
  EXPECT_TRUE(result.plaintext == plaintext);
  EXPECT_EQ(opened(join({encrypted({}), encrypted({})})).status, WVDS_STREAM_DATA_AFTER_END);
}

TEST_F(StreamApi, NoticesEveryChangedBit) {
  const Buffer bytes = text("12345");
  const Buffer stream = encrypted(bytes, text("aad"));
  EXPECT_EQ(opened(stream, text("aad"), kKey).status, WVDS_SUCCESS);
  for (size_t at = 0; at < stream.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      const auto value = static_cast<uint8_t>(std::to_integer<int>(stream[at]) ^ (1 << bit));
      const Opened result = opened(changed(stream, at, value), text("aad"), kKey);
      EXPECT_NE(result.status, WVDS_SUCCESS) << at << " bit " << bit;
      EXPECT_TRUE(result.plaintext.empty()) << at << " bit " << bit;
    }
  }
}

TEST_F(StreamApi, IsBoundToKeyAndAad) {
  const Buffer stream = encrypted(plaintext, text("meter 7"));
  EXPECT_EQ(opened(stream, text("meter 7")).status, WVDS_SUCCESS);
  EXPECT_EQ(opened(stream, text("meter 8")).status, WVDS_DECRYPTION_FAILED);
  EXPECT_EQ(opened(stream).status, WVDS_DECRYPTION_FAILED);
  EXPECT_EQ(opened(stream, text("meter 7"), kKey + 1).status, WVDS_DECRYPTION_FAILED);
}

TEST_F(StreamApi, TellsOtherFilesAndNewerStreamsApart) {
  EXPECT_EQ(opened(pattern(1000)).status, WVDS_STREAM_UNREADABLE);
  EXPECT_EQ(opened(changed(encrypted({}), 4, 2)).status, WVDS_STREAM_NEWER_VERSION);
  EXPECT_TRUE(service.seen.size() == 2) << "nothing of that went to the service";
}

TEST_F(StreamApi, ReportsTheFirstFaultOfTheStream) {
  Pieces pieces(encrypted(plaintext));
  pieces.chunks[1].back() ^= std::byte{1};
  pieces.chunks.resize(2);
  expect_refusal(pieces.joined(), WVDS_DECRYPTION_FAILED, 1, "a wrong tag before the missing end");
}

TEST_F(StreamApi, HandsOutPlaintextThatTheServiceCannotChangeAnyMore) {
  struct Consumer {
    MemoryIo memory;
    FakeService& service;
  } consumer{MemoryIo(encrypted(plaintext)), service};
  wvds_stream_io io = consumer.memory.io();
  io.user_data = &consumer;
  io.read = [](void* self, uint8_t* out, size_t* length, size_t max) {
    MemoryIo& memory = static_cast<Consumer*>(self)->memory;
    return memory.io().read(&memory, out, length, max);
  };
  io.write = [](void* self, const uint8_t* bytes, size_t length) {
    static_cast<Consumer*>(self)->service.scribble();
    MemoryIo& memory = static_cast<Consumer*>(self)->memory;
    return memory.io().write(&memory, bytes, length);
  };
  // the answers of chunks behind are written over too, so that only the first is compared
  static_cast<void>(wvds_stream_decrypt(session, &io, 0, nullptr, 0));
  ASSERT_GE(consumer.memory.output.size(), kChunk);
  EXPECT_TRUE(std::ranges::equal(Bytes(consumer.memory.output).first(kChunk), Bytes(plaintext).first(kChunk)));
}

TEST_F(StreamApi, WritesNothingWhereTheFirstChunkFails) {
  service.answers({}, Status::kKeyNotFound);
  MemoryIo memory(plaintext);
  const wvds_stream_io io = memory.io();
  EXPECT_EQ(wvds_stream_encrypt(session, &io, kKey, nullptr, 0), WVDS_KEY_NOT_FOUND);
  EXPECT_TRUE(memory.output.empty());
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST_F(StreamApi, StopsWhenACallbackDoes) {
  const Buffer stream = encrypted(plaintext);
  for (const bool is_encrypting : {true, false}) {
    for (const bool is_reading : {true, false}) {
      for (int good_calls = 0; good_calls < 4; ++good_calls) {
        MemoryIo memory(is_encrypting ? plaintext : stream);
        int calls = 0;
        (is_reading ? memory.on_read : memory.on_write) = [&] {
          return ++calls <= good_calls ? WVDS_SUCCESS : WVDS_INVALID_ARGUMENT;
        };
        const wvds_stream_io io = memory.io();
        EXPECT_EQ(is_encrypting ? wvds_stream_encrypt(session, &io, kKey, nullptr, 0)
                                : wvds_stream_decrypt(session, &io, 0, nullptr, 0),
                  WVDS_CALLBACK_FAILED);
        EXPECT_EQ(calls, good_calls + 1) << "called again after it failed";
        EXPECT_EQ(service.busy_slots, 0u);
      }
    }
  }
}

TEST_F(StreamApi, DistrustsACallbackThatClaimsMoreThanThereWasRoom) {
  const wvds_stream_io io{[](void*, uint8_t*, size_t* length, size_t max) {
                            *length = max + 1;
                            return WVDS_SUCCESS;
                          },
                          [](void*, const uint8_t*, size_t) { return WVDS_SUCCESS; }, nullptr};
  EXPECT_EQ(wvds_stream_encrypt(session, &io, kKey, nullptr, 0), WVDS_CALLBACK_FAILED);
  EXPECT_EQ(wvds_stream_decrypt(session, &io, kKey, nullptr, 0), WVDS_CALLBACK_FAILED);
}

TEST_F(StreamApi, RefusesWhatIsNoArgument) {
  MemoryIo memory(text("x"));
  const wvds_stream_io io = memory.io();
  wvds_stream_io lame = io;
  const Buffer aad(kMaxStreamAadSize + 1);
  EXPECT_EQ(wvds_stream_encrypt(nullptr, &io, kKey, nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_encrypt(session, nullptr, kKey, nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_encrypt(session, &io, 0, nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_encrypt(session, &io, kKey, nullptr, 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_encrypt(session, &io, kKey, data(aad), aad.size()), WVDS_PAYLOAD_TOO_LARGE);
  lame.read = nullptr;
  EXPECT_EQ(wvds_stream_encrypt(session, &lame, kKey, nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_decrypt(session, &lame, 0, nullptr, 0), WVDS_INVALID_ARGUMENT);
  lame = io;
  lame.write = nullptr;
  EXPECT_EQ(wvds_stream_decrypt(session, &lame, 0, nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_decrypt(nullptr, &io, 0, nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_decrypt(session, &io, 0, data(aad), aad.size()), WVDS_PAYLOAD_TOO_LARGE);
  EXPECT_TRUE(service.seen.empty());
  EXPECT_EQ(memory.taken, 0u);
}

TEST_F(StreamApi, TakesTheLongestAad) {
  const Buffer aad = pattern(kMaxStreamAadSize);
  EXPECT_TRUE(opened(encrypted(plaintext, aad), aad).plaintext == plaintext);
}

}  // namespace
}  // namespace wvds::client::testing
