#include "access/rate_limiter.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "access/testing/still_clock.h"

namespace wvds::access {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr config::RateLimit kPublished{.requests_per_second = 1000, .burst = 100, .cooldown_ms = 100};

// taken counts how many of `tries` requests at the clock's present time go through.
int taken(RateLimiter& limiter, const StillClock& clock, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limiter.take(clock.now()) ? 1 : 0;
  return count;
}

TEST(RateLimiter, LetsABurstThroughAtOnce) {
  RateLimiter limiter(kPublished);
  StillClock clock;
  EXPECT_EQ(taken(limiter, clock, 150), 100);
}

TEST(RateLimiter, RefusesEverythingDuringTheCooldown) {
  RateLimiter limiter(kPublished);
  StillClock clock;
  ASSERT_EQ(taken(limiter, clock, 101), 100);
  clock.advance(milliseconds(99));  // the bucket has 99 tokens again, and yet
  EXPECT_EQ(taken(limiter, clock, 10), 0);
}

TEST(RateLimiter, CooldownIsNotProlongedByRefusals) {
  RateLimiter limiter(kPublished);
  StillClock clock;
  ASSERT_EQ(taken(limiter, clock, 101), 100);
  for (int i = 0; i < 99; ++i) {
    clock.advance(milliseconds(1));
    ASSERT_EQ(taken(limiter, clock, 5), 0);
  }
  clock.advance(milliseconds(1));
  EXPECT_EQ(taken(limiter, clock, 150), 100) << "100 ms after the first refusal the bucket is full again";
}

TEST(RateLimiter, SustainsTheRateWithoutARefusal) {
  RateLimiter limiter(kPublished);
  StillClock clock;
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(limiter.take(clock.now())) << i;
    clock.advance(milliseconds(1));
  }
}

TEST(RateLimiter, RefusesWhatIsAboveTheRate) {
  RateLimiter limiter({.requests_per_second = 1000, .burst = 100, .cooldown_ms = 0});
  StillClock clock;
  int count = 0;
  for (int i = 0; i < 10'000; ++i) {  // 10,000 a second for one second
    count += limiter.take(clock.now()) ? 1 : 0;
    clock.advance(microseconds(100));
  }
  EXPECT_GE(count, 1098);
  EXPECT_LE(count, 1100);
}

TEST(RateLimiter, NeverSavesMoreThanTheBurst) {
  RateLimiter limiter(kPublished);
  StillClock clock;
  ASSERT_EQ(taken(limiter, clock, 10), 10);
  clock.advance(seconds(3600));
  EXPECT_EQ(taken(limiter, clock, 500), 100);
}

TEST(RateLimiter, OfZeroRequestsASecondIsNoLimit) {
  RateLimiter limiter({.requests_per_second = 0, .burst = 1, .cooldown_ms = 100});
  StillClock clock;
  EXPECT_TRUE(limiter.unlimited());
  EXPECT_EQ(taken(limiter, clock, 100'000), 100'000);
}

TEST(RateLimiter, CountsExactlyAcrossThreads) {
  RateLimiter limiter({.requests_per_second = 1, .burst = 1000, .cooldown_ms = 100});
  StillClock clock;
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { count += taken(limiter, clock, 1000); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 1000);
}

}  // namespace
}  // namespace wvds::access
