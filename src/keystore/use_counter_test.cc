#include "keystore/use_counter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace wvds::keystore {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Status counted(UseCounter& counter) {
  const auto result = counter.count();
  return result ? Status::kSuccess : result.error().status;
}

TEST(RefillBlock, GrowsWithTheRateAndHasBounds) {
  EXPECT_EQ(refill_block(0, seconds(1), 65536), 65536u);
  EXPECT_EQ(refill_block(100, seconds(10), 65536), 65536u);
  EXPECT_EQ(refill_block(2'000'000, seconds(1), 65536), 16'000'000u) << "8 seconds ahead";
  EXPECT_EQ(refill_block(UINT64_MAX, seconds(1), 65536), 1u << 28);
  EXPECT_EQ(refill_block(1'000, seconds(0), 65536), 8'000'000u) << "no division by nothing";
}

// Two million uses a second while every durable write takes `write_time`: simulated time, a millisecond a step.
uint64_t waits_of_simulation(milliseconds write_time, milliseconds warm_up) {
  constexpr uint64_t kBlock = 1 << 16, kLimit = 1ull << 32, kUsesPerStep = 2000;
  UseCounter counter(0, kBlock, kLimit, nullptr);
  platform::TimePoint now{seconds(1)};
  uint64_t waits = 0, pending_grant = 0;
  milliseconds write_done{-1};
  for (milliseconds step{0}; step < seconds(30); ++step, now += milliseconds(1)) {
    if (write_done == step) {
      counter.grant(pending_grant);
      write_done = milliseconds(-1);
    }
    for (uint64_t i = 0; i < kUsesPerStep; ++i) {
      if (!counter.count() && step >= warm_up) ++waits;
    }
    if (write_done < milliseconds(0) && counter.wants_more()) {
      pending_grant = counter.next_grant(kBlock, now);
      write_done = step + write_time;
    }
  }
  return waits;
}

TEST(UseCounter, NeverMakesTwoMillionUsesASecondWaitForAnOrdinaryDisk) {
  EXPECT_EQ(waits_of_simulation(milliseconds(20), milliseconds(0)), 0u) << "not even at the start";
  EXPECT_EQ(waits_of_simulation(milliseconds(500), milliseconds(3000)), 0u) << "a slow disk, once the rate is known";
}

TEST(UseCounter, HandsOutExactlyWhatWasGranted) {
  UseCounter counter(10, 15, 100, nullptr);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_EQ(counted(counter), Status::kStorageError);
  EXPECT_EQ(counter.used(), 15u);
  counter.grant(16);
  EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_EQ(counted(counter), Status::kStorageError);
}

TEST(UseCounter, EndsAtTheLimitWhateverWasGranted) {
  UseCounter counter(95, 200, 100, nullptr);
  EXPECT_EQ(counter.granted(), 100u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_EQ(counted(counter), Status::kKeyUsedUp);
  UseCounter over(300, 300, 100, nullptr);
  EXPECT_EQ(counted(over), Status::kKeyUsedUp);
  EXPECT_FALSE(over.wants_more());
}

TEST(UseCounter, NextGrantStaysWithinTheLimit) {
  UseCounter counter(0, 10, 25, nullptr);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_TRUE(counter.wants_more());
  counter.grant(counter.next_grant(1000, platform::TimePoint{seconds(1)}));
  EXPECT_EQ(counter.granted(), 25u);
  EXPECT_FALSE(counter.wants_more());
}

// A sparing counter: largest block 4.
TEST(SparingCounter, ReservesNothingThatNobodyAskedFor) {
  UseCounter counter(0, 0, 256, nullptr, 4);
  EXPECT_FALSE(counter.wants_more());
  EXPECT_EQ(counted(counter), Status::kStorageError);
  EXPECT_TRUE(counter.wants_more());
  EXPECT_EQ(counter.next_grant(65536, platform::TimePoint{seconds(1)}), 1u) << "one at first";
  EXPECT_FALSE(counter.wants_more()) << "answered, whether or not it could be written";
  counter.grant(1);
  EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_FALSE(counter.wants_more());
}

// largest_reserve drives a counter as the store does, one use each `pause`, and gives the largest reserve there was.
uint64_t largest_reserve(uint64_t limit, uint64_t largest_block, milliseconds pause) {
  UseCounter counter(0, 0, limit, nullptr, largest_block);
  platform::TimePoint now{seconds(1)};
  uint64_t largest = 0;
  for (uint64_t used = 0; used < limit; ++used, now += pause) {
    if (!counter.count()) {
      EXPECT_TRUE(counter.wants_more());
      counter.grant(counter.next_grant(65536, now));
      EXPECT_TRUE(counter.count());
    }
    EXPECT_EQ(counter.used(), used + 1);
    largest = std::max(largest, counter.granted() - counter.used());
  }
  EXPECT_EQ(counted(counter), Status::kKeyUsedUp);
  EXPECT_FALSE(counter.wants_more());
  return largest;
}

TEST(SparingCounter, KeepsNothingInReserveForAKeyThatIsUsedSeldom) {
  EXPECT_EQ(largest_reserve(1000, 15, seconds(60)), 0u);
}

TEST(SparingCounter, KeepsAtMostItsLargestBlockInReserve) {
  EXPECT_EQ(largest_reserve(1000, 15, milliseconds(1)), 14u);
  EXPECT_EQ(largest_reserve(10, 1, milliseconds(1)), 0u);
}

// Several threads wait, and each reservation is enough for one of them.
TEST(SparingCounter, ServesAllWhoWait) {
  auto bell = std::make_shared<RefillBell>();
  UseCounter counter(0, 0, 100, bell, 1);
  bell->serve();
  std::thread server([&] {
    while (bell->wait_for_work(milliseconds(1))) {
      if (counter.wants_more()) counter.grant(counter.next_grant(65536, platform::monotonic_now()));
      bell->tried(true);
    }
  });
  std::atomic<uint64_t> taken = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      while (counter.count()) ++taken;
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(taken, 100u);
  EXPECT_EQ(counted(counter), Status::kKeyUsedUp);
  bell->stop();
  server.join();
}

TEST(UseCounter, WarnsOnce) {
  UseCounter counter(74, 100, 100, nullptr);
  EXPECT_FALSE(counter.first_warning());
  EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_TRUE(counter.nearly_used_up());
  EXPECT_TRUE(counter.first_warning());
  EXPECT_FALSE(counter.first_warning());
}

TEST(UseCounter, RefusesWithTheClosingStatus) {
  UseCounter counter(0, 10, 10, nullptr);
  EXPECT_EQ(counted(counter), Status::kSuccess);
  EXPECT_EQ(counter.close(Status::kNotReady), 1u);
  EXPECT_EQ(counted(counter), Status::kNotReady);
  EXPECT_EQ(counter.used(), 1u);
  EXPECT_FALSE(counter.wants_more());
}

// What close returns is written to disk: a use taken after it would be forgotten.
TEST(UseCounter, CountsExactlyWhileItIsClosedByAnotherThread) {
  for (int round = 0; round < 50; ++round) {
    UseCounter counter(0, UINT64_MAX >> 2, UINT64_MAX >> 2, nullptr);
    std::atomic<uint64_t> taken = 0;
    std::atomic<bool> started = false;
    const auto work = [&] {
      uint64_t mine = 0;
      while (counter.count()) {
        ++mine;
        started = true;
      }
      taken += mine;
    };
    std::vector<std::thread> workers;
    for (int i = 0; i < 3; ++i) workers.emplace_back(work);
    while (!started) std::this_thread::yield();
    const uint64_t closed_at = counter.close(Status::kNotReady);
    for (auto& worker : workers) worker.join();
    ASSERT_EQ(taken, closed_at);
  }
}

// A server of the bell that grants ten more on each ring.
TEST(UseCounter, WaitsForTheReservationThatIsUnderWay) {
  auto bell = std::make_shared<RefillBell>();
  UseCounter counter(0, 10, 1'000, bell);
  bell->serve();
  std::thread server([&] {
    while (bell->wait_for_work(milliseconds(1))) {
      counter.grant(std::min<uint64_t>(1'000, counter.granted() + 10));
      bell->tried(true);
    }
  });
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(counted(counter), Status::kSuccess) << i;
  EXPECT_EQ(counted(counter), Status::kKeyUsedUp);
  bell->stop();
  server.join();
}

// Others may take all that a reservation brought before the waiting thread runs again.
TEST(UseCounter, WaitsOnWhileOthersAreQuicker) {
  auto bell = std::make_shared<RefillBell>();
  UseCounter counter(0, 1, 1'000, bell);
  ASSERT_EQ(counted(counter), Status::kSuccess);
  bell->serve();
  std::thread server([&] {
    for (int tries = 0; bell->wait_for_work(milliseconds(1)); ++tries) {
      counter.grant(counter.granted() + 1);
      if (tries < 20) static_cast<void>(counter.count());
      bell->tried(true);
    }
  });
  EXPECT_EQ(counted(counter), Status::kSuccess);
  bell->stop();
  server.join();
}

TEST(UseCounter, DoesNotWaitForAReservationThatFails) {
  auto bell = std::make_shared<RefillBell>();
  UseCounter counter(0, 1, 1'000, bell);
  bell->serve();
  std::thread server([&] {
    while (bell->wait_for_work(std::chrono::hours(1))) bell->tried(false);
  });
  EXPECT_EQ(counted(counter), Status::kSuccess);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(counted(counter), Status::kStorageError);
  bell->stop();
  server.join();
}

TEST(UseCounter, DoesNotWaitForABellThatNobodyServesOrServesNoMore) {
  auto bell = std::make_shared<RefillBell>();
  UseCounter counter(0, 0, 1'000, bell);
  EXPECT_EQ(counted(counter), Status::kStorageError);
  bell->serve();
  bell->stop();
  EXPECT_EQ(counted(counter), Status::kStorageError);
}

TEST(RefillBell, TellsHowLongATryHasLasted) {
  RefillBell bell;
  const auto later = platform::monotonic_now() + std::chrono::hours(1);
  EXPECT_EQ(bell.trying_for(later), platform::Duration(0)) << "there is nothing to do";
  bell.ring();
  ASSERT_TRUE(bell.wait_for_work(milliseconds(1)));
  EXPECT_GT(bell.trying_for(later), std::chrono::minutes(30));
  bell.tried(false);
  EXPECT_EQ(bell.trying_for(later), platform::Duration(0));
}

TEST(RefillBell, GathersChangesButAnswersRingsAtOnce) {
  RefillBell bell;
  bell.note_change();
  bell.ring();
  EXPECT_TRUE(bell.wait_for_work(std::chrono::hours(1))) << "the ring cuts the delay short";
  bell.tried(true);
  bell.note_change();
  EXPECT_TRUE(bell.wait_for_work(milliseconds(1))) << "a change alone waits no longer than the delay";
  bell.stop();
  EXPECT_FALSE(bell.wait_for_work(milliseconds(1)));
}

}  // namespace
}  // namespace wvds::keystore
