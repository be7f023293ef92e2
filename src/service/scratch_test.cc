#include "service/scratch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace wvds::service {
namespace {

TEST(Scratch, HoldsAWholePayloadAndAWholeAnswer) {
  Scratch scratch;
  const std::vector<std::byte> payload(protocol::kMaxRequestPayload, std::byte{7});
  const auto copy = scratch.copy_in(UntrustedBytes(payload));
  ASSERT_TRUE(copy.has_value());
  EXPECT_TRUE(std::ranges::equal(*copy, payload));
  EXPECT_TRUE(scratch.take(protocol::kMaxAnswerPayload).has_value());
}

TEST(Scratch, ForgetsWhatItHeld) {
  Scratch scratch;
  const auto taken = scratch.take(1000);
  ASSERT_TRUE(taken.has_value());
  std::ranges::fill(*taken, std::byte{0xaa});
  scratch.wipe();
  const auto again = scratch.take(1000);
  ASSERT_TRUE(again.has_value());
  ASSERT_EQ(again->data(), taken->data());
  EXPECT_TRUE(std::ranges::all_of(*again, [](std::byte b) { return b == std::byte{0}; }));
}

TEST(Scratch, SaysWhenThereIsNoRoom) {
  Scratch scratch;
  const auto too_much = scratch.take(1 << 20);
  ASSERT_FALSE(too_much.has_value());
  EXPECT_EQ(too_much.error().status, Status::kInternalError);
  EXPECT_FALSE(scratch.take(SIZE_MAX).has_value());
}

}  // namespace
}  // namespace wvds::service
