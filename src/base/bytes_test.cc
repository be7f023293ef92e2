#include "base/bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace wvds {
namespace {

std::array<std::byte, 16> counting() {
  std::array<std::byte, 16> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i + 1);
  return bytes;
}

TEST(Reader, ReadsLittleEndianNumbersInOrder) {
  const auto source = counting();
  Reader reader{Bytes(source)};
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.u16(), 0x0302);
  EXPECT_EQ(reader.u32(), 0x07060504u);
  EXPECT_EQ(reader.u64(), 0x0f0e0d0c0b0a0908u);
  EXPECT_EQ(reader.left(), 1u);
}

TEST(Reader, FinishRefusesBytesLeftOver) {
  const auto source = counting();
  Reader reader{Bytes(source)};
  reader.bytes(15);
  EXPECT_EQ(reader.finish().error().status, Status::kInvalidPayload);
  reader.u8();
  EXPECT_TRUE(reader.finish());
}

TEST(Reader, StaysFailedAfterTheFirstShortRead) {
  const auto source = counting();
  Reader reader{Bytes(source)};
  EXPECT_TRUE(reader.bytes(17).empty());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.left(), 0u);
  EXPECT_FALSE(reader.finish());
}

TEST(Reader, HugeCountDoesNotWrapAround) {
  const auto source = counting();
  Reader reader{Bytes(source)};
  reader.u32();
  EXPECT_TRUE(reader.bytes(SIZE_MAX).empty());
  EXPECT_TRUE(reader.failed());
}

TEST(Reader, CopyGivesZeroesWhenTheSourceIsShort) {
  const auto source = counting();
  Reader reader{Bytes(source)};
  std::array<std::byte, 20> target;
  target.fill(std::byte{0xee});
  reader.copy(target);
  EXPECT_EQ(target.front(), std::byte{0});
  EXPECT_TRUE(reader.failed());
}

TEST(Reader, TextIsCopiedOut) {
  std::string source = "edge";
  Reader reader{as_bytes(source)};
  const std::string text = reader.text(4);
  source[0] = 'X';
  EXPECT_EQ(text, "edge");
}

TEST(Writer, WritesWhatReaderReads) {
  std::array<std::byte, 32> buffer{};
  Writer writer(buffer);
  writer.u8(1);
  writer.u16(0x1234);
  writer.u32(0xdeadbeef);
  writer.u64(0x0102030405060708);
  writer.text("ok");
  writer.zeros(2);
  Reader reader{Bytes(buffer).first(*writer.finish())};
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x1234);
  EXPECT_EQ(reader.u32(), 0xdeadbeefu);
  EXPECT_EQ(reader.u64(), 0x0102030405060708u);
  EXPECT_EQ(reader.text(2), "ok");
  EXPECT_EQ(reader.u16(), 0);
  EXPECT_TRUE(reader.finish());
}

TEST(Writer, WritesNothingPastTheEndAndNothingAfterAFailure) {
  std::array<std::byte, 4> buffer{};
  Writer writer(MutableBytes(buffer).first(3));
  writer.u16(0xffff);
  writer.u16(0xffff);
  writer.u8(0xff);
  EXPECT_EQ(writer.finish().error().status, Status::kBufferTooSmall);
  EXPECT_EQ(buffer[2], std::byte{0});
  EXPECT_EQ(buffer[3], std::byte{0});
}

TEST(UntrustedBytes, CopyToReturnsTheFilledPart) {
  const auto source = counting();
  std::array<std::byte, 32> target{};
  const MutableBytes filled = UntrustedBytes(source).copy_to(target);
  EXPECT_EQ(filled.size(), source.size());
  EXPECT_EQ(target[15], std::byte{16});
  EXPECT_EQ(target[16], std::byte{0});
}

}  // namespace
}  // namespace wvds
