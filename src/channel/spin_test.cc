#include "channel/spin.h"

#include <gtest/gtest.h>

namespace wvds::channel {
namespace {

using platform::TimePoint;

TEST(PollFor, LooksOnceWhenThereIsNoTime) {
  int looks = 0;
  EXPECT_FALSE(poll_for(Nanoseconds(0), TimePoint::max(), [&] { return ++looks, false; }).found);
  EXPECT_EQ(looks, 1);
  EXPECT_TRUE(poll_for(Nanoseconds(0), TimePoint::max(), [] { return true; }).found);
}

TEST(PollFor, StopsAtTheFirstNewsWithoutAskingTheClock) {
  int looks = 0;
  const Polled polled = poll_for(ServiceSpin::kLong, TimePoint::max(), [&] { return ++looks == 3; });
  EXPECT_TRUE(polled.found);
  EXPECT_EQ(polled.spent, Nanoseconds(0));
  EXPECT_EQ(looks, 3);
}

TEST(PollFor, EndsAtItsBoundAndAtTheDeadline) {
  const Polled bounded = poll_for(Nanoseconds(1000), TimePoint::max(), [] { return false; });
  EXPECT_FALSE(bounded.found);
  EXPECT_GE(bounded.spent, Nanoseconds(1000));
  EXPECT_FALSE(poll_for(std::chrono::hours(1), TimePoint::min(), [] { return false; }).found);
}

TEST(SpinBudget, LeavesOneProcessor) {
  SpinBudget budget(3);
  EXPECT_TRUE(budget.try_enter());
  EXPECT_TRUE(budget.try_enter());
  EXPECT_FALSE(budget.try_enter());
  EXPECT_EQ(budget.spinning(), 2u);
  budget.leave();
  EXPECT_TRUE(budget.try_enter());
}

TEST(SpinBudget, IsNothingWithOneProcessor) {
  SpinBudget one(1);
  EXPECT_FALSE(one.try_enter());
  SpinBudget unknown(0);
  EXPECT_FALSE(unknown.try_enter());
  EXPECT_EQ(unknown.spinning(), 0u);
}

TEST(ServiceSpin, LooksLongWhileItPaysAndShortlyOtherwise) {
  ServiceSpin spin;
  EXPECT_EQ(spin.bound(), ServiceSpin::kLong);
  for (int i = 0; i < 10; ++i) spin.missed();
  EXPECT_EQ(spin.bound(), ServiceSpin::kShort);
  spin.found();
  EXPECT_EQ(spin.bound(), ServiceSpin::kLong);
}

TEST(ServiceSpin, GivesAQuietSessionAnotherChanceNowAndThen) {
  ServiceSpin spin;
  int long_looks = 0;
  for (int i = 0; i < 1000; ++i) {
    long_looks += spin.bound() == ServiceSpin::kLong;
    spin.missed();
  }
  EXPECT_GT(long_looks, 20);
  EXPECT_LT(long_looks, 100);
}

TEST(ServiceSpin, DoesNotLookForADistrustedSessionUntilItBehaved) {
  ServiceSpin spin;
  spin.distrust();
  for (uint32_t i = 0; i < ServiceSpin::kProbation; ++i) {
    EXPECT_EQ(spin.bound(), Nanoseconds(0));
    spin.valid_request();
  }
  EXPECT_GT(spin.bound(), Nanoseconds(0));
}

TEST(ClientSpin, NeverLooksWithOneProcessor) {
  ClientSpin spin(1);
  EXPECT_EQ(spin.bound(), Nanoseconds(0));
  spin.found(Nanoseconds(100'000));
  EXPECT_EQ(spin.bound(), Nanoseconds(0));
}

TEST(ClientSpin, FollowsWhatAnswersTookLately) {
  ClientSpin spin(2);
  EXPECT_EQ(spin.bound(), ClientSpin::kLeast);
  spin.answered_after_sleep(Nanoseconds(800'000));
  EXPECT_EQ(spin.bound(), Nanoseconds(1'000'000));
  for (int i = 0; i < 7; ++i) spin.found(Nanoseconds(0));
  EXPECT_EQ(spin.bound(), Nanoseconds(1'000'000)) << "one slow operation among quick ones is still expected";
  spin.found(Nanoseconds(0));
  EXPECT_EQ(spin.bound(), ClientSpin::kLeast);
}

TEST(ClientSpin, HasAnUpperEnd) {
  ClientSpin spin(2);
  spin.found(ClientSpin::kMost);
  EXPECT_EQ(spin.bound(), ClientSpin::kMost);
  ClientSpin slow(2);
  for (int i = 0; i < 8; ++i) slow.answered_after_sleep(ClientSpin::kMost + Nanoseconds(1));
  EXPECT_EQ(slow.bound(), ClientSpin::kLeast) << "nothing to gain from looking";
}

TEST(ClientSpin, GivesUpTheProcessorAfterLongLooksInVain) {
  ClientSpin spin(2);
  for (int i = 0; i < 2; ++i) {
    spin.answered_after_sleep(Nanoseconds(500'000));
    EXPECT_GT(spin.bound(), ClientSpin::kLeast);
    spin.missed();
  }
  for (int i = 0; i < 16; ++i) {
    EXPECT_EQ(spin.bound(), ClientSpin::kBriefly);
    spin.missed();
    spin.answered_after_sleep(Nanoseconds(500'000));
  }
  EXPECT_GT(spin.bound(), ClientSpin::kLeast);
}

TEST(ClientSpin, ForgivesOneLongLookInVain) {
  ClientSpin spin(2);
  spin.found(Nanoseconds(500'000));
  for (int i = 0; i < 20; ++i) {
    EXPECT_GT(spin.bound(), ClientSpin::kLeast);
    spin.missed();
    spin.answered_after_sleep(Nanoseconds(500'000));
    EXPECT_GT(spin.bound(), ClientSpin::kLeast);
    spin.found(Nanoseconds(500'000));
  }
}

}  // namespace
}  // namespace wvds::channel
