#include "protocol/frame.h"

#include <gtest/gtest.h>

#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::hex;
using testing::join;
using testing::repeated;
using testing::untrusted;

const Buffer kRequest = hex("C7 01 50 00 02 00 00 00 AA BB");
const Buffer kAnswer = hex("C8 01 00 00 02 00 00 00 AA BB");

Status request_status(const Buffer& area) {
  const auto frame = RequestFrame::decode(untrusted(area));
  return frame ? Status::kSuccess : frame.error().status;
}

Status answer_status(const Buffer& area) {
  const auto frame = AnswerFrame::decode(untrusted(area));
  return frame ? Status::kSuccess : frame.error().status;
}

Buffer area_with_length(uint32_t length) {
  Buffer area(kRequestArea);
  encode_request_header(0x02, length, std::span(area).first<kFrameHeaderSize>());
  return area;
}

TEST(RequestFrame, GivesTypeAndPayload) {
  const auto frame = RequestFrame::decode(untrusted(kRequest));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->type, 0x50);
  EXPECT_EQ(testing::copy_of(frame->payload), hex("AA BB"));
}

TEST(RequestFrame, IgnoresWhatFollowsThePayloadInItsArea) {
  const Buffer area = join({kRequest, repeated(0xff, 100)});
  const auto frame = RequestFrame::decode(untrusted(area));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload.size(), 2u);
}

TEST(RequestFrame, PassesUnknownTypesOn) {
  const Buffer area = changed(kRequest, 2, 0xEE);
  const auto frame = RequestFrame::decode(untrusted(area));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->type, 0xEE);
}

TEST(RequestFrame, RejectsWrongMagic) {
  EXPECT_EQ(request_status(changed(kRequest, 0, 0xC8)), Status::kInvalidHeader);
  EXPECT_EQ(request_status(changed(kRequest, 0, 0x00)), Status::kInvalidHeader);
}

TEST(RequestFrame, RejectsWrongVersion) {
  EXPECT_EQ(request_status(changed(kRequest, 1, 0x00)), Status::kInvalidHeader);
  EXPECT_EQ(request_status(changed(kRequest, 1, 0x02)), Status::kInvalidHeader);
}

TEST(RequestFrame, RejectsEveryFlag) {
  for (int bit = 0; bit < 8; ++bit) {
    EXPECT_EQ(request_status(changed(kRequest, 3, static_cast<uint8_t>(1 << bit))), Status::kInvalidHeader);
  }
}

TEST(RequestFrame, RejectsAnAreaShorterThanItsHeader) {
  for (size_t length = 0; length < kFrameHeaderSize; ++length) {
    const Buffer area(kRequest.begin(), kRequest.begin() + static_cast<ptrdiff_t>(length));
    EXPECT_EQ(request_status(area), Status::kInvalidHeader);
  }
}

TEST(RequestFrame, RejectsALengthBeyondItsArea) {
  EXPECT_EQ(request_status(changed(kRequest, 4, 3)), Status::kInvalidHeader);
}

TEST(RequestFrame, TakesTheLargestPayload) { EXPECT_EQ(request_status(area_with_length(65536)), Status::kSuccess); }

TEST(RequestFrame, RejectsALargerPayloadAsTooLarge) {
  EXPECT_EQ(request_status(area_with_length(65537)), Status::kPayloadTooLarge);
  EXPECT_EQ(request_status(area_with_length(0xFFFFFFFF)), Status::kPayloadTooLarge);
}

TEST(RequestFrame, JudgesTheHeaderBeforeTheLength) {
  EXPECT_EQ(request_status(changed(area_with_length(65537), 0, 0)), Status::kInvalidHeader);
}

TEST(AnswerFrame, GivesStatusAndPayload) {
  const auto frame = AnswerFrame::decode(untrusted(kAnswer));
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->status, Status::kSuccess);
  EXPECT_EQ(testing::copy_of(frame->payload), hex("AA BB"));
}

TEST(AnswerFrame, GivesEveryStatusThatTravels) {
  for (int value = 0; value < 256; ++value) {
    const auto status = static_cast<Status>(value);
    const bool known = std::string_view(status_name(status)) != "UNKNOWN_STATUS";
    const Buffer area = changed(hex("C8 01 00 00 00 00 00 00"), 2, value & 0xff);
    const auto frame = AnswerFrame::decode(untrusted(area));
    if (known && value < 0x80) {
      ASSERT_TRUE(frame) << value;
      EXPECT_EQ(frame->status, status);
    } else {
      ASSERT_FALSE(frame) << value;
      EXPECT_EQ(frame.error().status, Status::kProtocolError);
    }
  }
}

TEST(AnswerFrame, RejectsWrongMagicVersionAndFlags) {
  EXPECT_EQ(answer_status(changed(kAnswer, 0, 0xC7)), Status::kProtocolError);
  EXPECT_EQ(answer_status(changed(kAnswer, 1, 2)), Status::kProtocolError);
  EXPECT_EQ(answer_status(changed(kAnswer, 3, 1)), Status::kProtocolError);
}

TEST(AnswerFrame, RejectsALengthBeyondItsArea) {
  EXPECT_EQ(answer_status(changed(kAnswer, 4, 3)), Status::kProtocolError);
  EXPECT_EQ(answer_status(changed(kAnswer, 7, 0xff)), Status::kProtocolError);
  EXPECT_EQ(answer_status({}), Status::kProtocolError);
}

TEST(AnswerFrame, RejectsAnErrorWithPayload) {
  EXPECT_EQ(answer_status(changed(kAnswer, 2, 0x04)), Status::kProtocolError);
}

TEST(AnswerFrame, TakesTheLargestPayloadAndNoMore) {
  Buffer area(kAnswerArea + 8);
  encode_answer_header(Status::kSuccess, kMaxAnswerPayload, std::span(area).first<kFrameHeaderSize>());
  EXPECT_EQ(answer_status(area), Status::kSuccess);
  encode_answer_header(Status::kSuccess, kMaxAnswerPayload + 1, std::span(area).first<kFrameHeaderSize>());
  EXPECT_EQ(answer_status(Buffer(area.begin(), area.begin() + kAnswerArea)), Status::kProtocolError);
}

}  // namespace
}  // namespace wvds::protocol
