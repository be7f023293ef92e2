#include "client/stream_format.h"

#include <gtest/gtest.h>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

using protocol::testing::changed;

StreamHeader a_header() {
  StreamHeader header;
  header.key_id = 0x01020304;
  for (size_t i = 0; i < kStreamIdSize; ++i) header.id[i] = static_cast<std::byte>(0xA0 + i);
  return header;
}

template <size_t size>
Buffer buffer_of(const std::array<std::byte, size>& bytes) {
  return {bytes.begin(), bytes.end()};
}

template <class T>
Status status_of(const Result<T>& result) {
  return result ? Status::kSuccess : result.error().status;
}

Status header_status(const Buffer& bytes) { return status_of(StreamHeader::decode(bytes)); }

Result<ChunkHead> decoded(const Buffer& bytes, uint32_t expected, uint32_t chunk_size = kStreamChunkSize) {
  ChunkHeadBytes head;
  std::ranges::copy(bytes, head.begin());
  StreamHeader stream = a_header();
  stream.chunk_size = chunk_size;
  return ChunkHead::decode(head, stream, expected);
}

Status chunk_status(const ChunkHead& chunk, uint32_t expected, uint32_t chunk_size = kStreamChunkSize) {
  return status_of(decoded(buffer_of(chunk.encode(a_header().id)), expected, chunk_size));
}

// The offsets are published in docs/stream-format.md.
TEST(StreamHeader, HasTheDocumentedLayout) {
  EXPECT_EQ(buffer_of(a_header().encode()), join({text("WVDS"), hex("01 01 00 00 04 03 02 01 00 F0 00 00"),
                                                  hex("A0 A1 A2 A3 A4 A5 A6 A7 A8 A9 AA AB AC AD AE AF")}));
}

TEST(StreamHeader, IsReadBack) {
  const auto header = StreamHeader::decode(a_header().encode());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->key_id, a_header().key_id);
  EXPECT_EQ(header->chunk_size, kStreamChunkSize);
  EXPECT_EQ(header->id, a_header().id);
}

TEST(StreamHeader, IsTruncatedWhereItsBeginningIsOne) {
  const Buffer whole = buffer_of(a_header().encode());
  for (size_t length = 0; length < whole.size(); ++length) {
    EXPECT_EQ(header_status(Buffer(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))),
              Status::kStreamTruncated)
        << length;
  }
}

TEST(StreamHeader, IsUnreadableWithAnotherMagicHoweverShort) {
  const Buffer whole = buffer_of(a_header().encode());
  for (size_t at = 0; at < 4; ++at) {
    EXPECT_EQ(header_status(changed(whole, at, 0)), Status::kStreamUnreadable) << at;
    const Buffer other = changed(whole, at, 0);
    EXPECT_EQ(header_status(Buffer(other.begin(), other.begin() + static_cast<ptrdiff_t>(at + 1))),
              Status::kStreamUnreadable);
  }
}

TEST(StreamHeader, OfANewerVersionOrAlgorithmIsTold) {
  const Buffer whole = buffer_of(a_header().encode());
  EXPECT_EQ(header_status(changed(whole, 4, 2)), Status::kStreamNewerVersion);
  EXPECT_EQ(header_status(changed(whole, 4, 255)), Status::kStreamNewerVersion);
  EXPECT_EQ(header_status(changed(whole, 5, 2)), Status::kStreamNewerVersion);
  EXPECT_EQ(header_status(changed(whole, 4, 0)), Status::kStreamUnreadable);
  const Buffer newer = changed(whole, 4, 2);
  EXPECT_EQ(header_status(Buffer(newer.begin(), newer.begin() + 5)), Status::kStreamNewerVersion);
}

TEST(StreamHeader, IsUnreadableWithAFieldThatIsNotAllowed) {
  const Buffer whole = buffer_of(a_header().encode());
  EXPECT_EQ(header_status(changed(whole, 6, 1)), Status::kStreamUnreadable);
  EXPECT_EQ(header_status(changed(whole, 7, 1)), Status::kStreamUnreadable);
  StreamHeader header = a_header();
  for (const uint32_t size : {0u, kStreamChunkSize + 1, 0xFFFFFFFFu}) {
    header.chunk_size = size;
    EXPECT_EQ(header_status(buffer_of(header.encode())), Status::kStreamUnreadable) << size;
  }
  header.chunk_size = 1;
  EXPECT_EQ(header_status(buffer_of(header.encode())), Status::kSuccess);
  header.key_id = 0;
  EXPECT_EQ(header_status(buffer_of(header.encode())), Status::kStreamUnreadable);
}

TEST(ChunkHead, HasTheDocumentedLayout) {
  const ChunkHead head{0x01020304, true, 0x0506};
  EXPECT_EQ(buffer_of(head.encode(a_header().id)), hex("A0 A1 A2 A3 A4 A5 A6 A7 04 03 02 01 01 00 06 05"));
  EXPECT_EQ(head.sealed_size(), 0x0506u + 28);
}

TEST(ChunkHead, IsReadBack) {
  const auto head = decoded(buffer_of(ChunkHead{7, true, 99}.encode(a_header().id)), 7);
  ASSERT_TRUE(head);
  EXPECT_EQ(head->index, 7u);
  EXPECT_TRUE(head->is_final);
  EXPECT_EQ(head->length, 99u);
}

TEST(ChunkHead, OfAnotherStreamIsForeign) {
  const Buffer head = buffer_of(ChunkHead{0, true, 5}.encode(a_header().id));
  for (size_t at = 0; at < kChunkMarkSize; ++at) {
    EXPECT_EQ(status_of(decoded(changed(head, at, 0), 0)), Status::kStreamForeignChunk) << at;
  }
}

TEST(ChunkHead, WithAnotherIndexIsOutOfOrder) {
  EXPECT_EQ(chunk_status({1, true, 5}, 0), Status::kStreamOutOfOrder);
  EXPECT_EQ(chunk_status({0, true, 5}, 1), Status::kStreamOutOfOrder);
  EXPECT_EQ(chunk_status({0x100, true, 5}, 0), Status::kStreamOutOfOrder);
}

TEST(ChunkHead, HasOneFlag) {
  const Buffer head = buffer_of(ChunkHead{0, true, 5}.encode(a_header().id));
  EXPECT_EQ(status_of(decoded(changed(head, 12, 3), 0)), Status::kStreamUnreadable);
  EXPECT_EQ(status_of(decoded(changed(head, 13, 1), 0)), Status::kStreamUnreadable);
}

TEST(ChunkHead, IsFullUnlessItIsTheLast) {
  constexpr uint16_t kFull = 16;
  EXPECT_EQ(chunk_status({0, false, kFull}, 0, kFull), Status::kSuccess);
  EXPECT_EQ(chunk_status({0, false, kFull - 1}, 0, kFull), Status::kStreamUnreadable);
  EXPECT_EQ(chunk_status({0, false, kFull + 1}, 0, kFull), Status::kStreamUnreadable);
  EXPECT_EQ(chunk_status({0, false, 0}, 0, kFull), Status::kStreamUnreadable);
  EXPECT_EQ(chunk_status({0, true, kFull}, 0, kFull), Status::kSuccess);
  EXPECT_EQ(chunk_status({0, true, kFull + 1}, 0, kFull), Status::kStreamUnreadable);
  EXPECT_EQ(chunk_status({3, true, 1}, 3, kFull), Status::kSuccess);
}

TEST(ChunkHead, IsEmptyInAnEmptyStreamOnly) {
  EXPECT_EQ(chunk_status({0, true, 0}, 0), Status::kSuccess);
  EXPECT_EQ(chunk_status({1, true, 0}, 1), Status::kStreamUnreadable);
}

TEST(ChunkHead, WithTheLastIndexIsTheLast) {
  constexpr auto kFull = static_cast<uint16_t>(kStreamChunkSize);
  EXPECT_EQ(chunk_status({kLastChunkIndex, true, 1}, kLastChunkIndex), Status::kSuccess);
  EXPECT_EQ(chunk_status({kLastChunkIndex, false, kFull}, kLastChunkIndex), Status::kStreamUnreadable);
  EXPECT_EQ(chunk_status({kLastChunkIndex - 1, false, kFull}, kLastChunkIndex - 1), Status::kSuccess);
}

TEST(ChunkHead, IsNotMadeWhereTheIndexesEnd) {
  EXPECT_TRUE(ChunkHead::of(kLastChunkIndex - 1, false, kStreamChunkSize));
  EXPECT_EQ(status_of(ChunkHead::of(kLastChunkIndex, false, kStreamChunkSize)), Status::kPayloadTooLarge);
  const auto last = ChunkHead::of(kLastChunkIndex, true, 5);
  ASSERT_TRUE(last);
  EXPECT_EQ(last->index, kLastChunkIndex);
  EXPECT_TRUE(last->is_final);
  EXPECT_EQ(last->length, 5u);
}

TEST(StreamSize, IsWhatTheMacroSays) {
  static_assert(WVDS_STREAM_SIZE(0) == 32 + 44);
  EXPECT_EQ(WVDS_STREAM_SIZE(1), 32u + 44 + 1);
  EXPECT_EQ(WVDS_STREAM_SIZE(61440), 32u + 44 + 61440);
  EXPECT_EQ(WVDS_STREAM_SIZE(61441), 32u + 2 * 44 + 61441);
  EXPECT_EQ(WVDS_STREAM_SIZE(UINT64_C(100) << 30), 32u + (UINT64_C(100) << 30) + 44u * UINT64_C(1747627));
}

TEST(StreamKey, IsReadFromTheHeader) {
  const StreamHeaderBytes bytes = a_header().encode();
  const Buffer header = buffer_of(bytes);
  uint32_t key = 9;
  EXPECT_EQ(wvds_stream_key(&key, data(header), header.size()), WVDS_SUCCESS);
  EXPECT_EQ(key, a_header().key_id);
  EXPECT_EQ(wvds_stream_key(&key, data(header), header.size() - 1), WVDS_STREAM_TRUNCATED);
  EXPECT_EQ(key, 0u);
  EXPECT_EQ(wvds_stream_key(&key, nullptr, 0), WVDS_STREAM_TRUNCATED);
  EXPECT_EQ(wvds_stream_key(&key, nullptr, 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_stream_key(nullptr, data(header), header.size()), WVDS_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace wvds::client::testing
