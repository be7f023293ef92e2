#include "keystore/nonce_window.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace wvds::keystore {
namespace {

using crypto::Nonce;

constexpr HashSeed kSeed{0x0123456789abcdef, 0xfedcba9876543210};

Nonce nonce(uint64_t number) {
  Nonce out{};
  std::memcpy(out.data(), &number, sizeof number);
  return out;
}

Status accepted(NonceWindow& window, const Nonce& value) {
  const auto result = window.accept(value);
  return result ? Status::kSuccess : result.error().status;
}

TEST(NonceWindow, RefusesARepeatAndNothingElse) {
  NonceWindow window(1000, nullptr, nullptr, kSeed);
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(accepted(window, nonce(i)), Status::kSuccess) << i;
  for (uint64_t i = 0; i < 1000; ++i) ASSERT_EQ(accepted(window, nonce(i)), Status::kNonceReuse) << i;
  EXPECT_EQ(window.used(), 1000u);
}

TEST(NonceWindow, LooksAtEveryByteOfANonce) {
  NonceWindow window(1000, nullptr, nullptr, kSeed);
  ASSERT_EQ(accepted(window, Nonce{}), Status::kSuccess);
  for (size_t byte = 0; byte < kNonceSize; ++byte) {
    Nonce other{};
    other[byte] = std::byte{1};
    EXPECT_EQ(accepted(window, other), Status::kSuccess) << byte;
    EXPECT_EQ(accepted(window, other), Status::kNonceReuse) << byte;
  }
}

TEST(NonceWindow, ForgetsOnlyTheOldestWhenAMillionAndOneHaveCome) {
  constexpr uint32_t kMillion = 1'000'000;
  NonceWindow window(kMillion, nullptr, nullptr, kSeed);
  for (uint64_t i = 0; i < kMillion; ++i) ASSERT_EQ(accepted(window, nonce(i)), Status::kSuccess);
  ASSERT_EQ(accepted(window, nonce(0)), Status::kNonceReuse) << "a million are remembered";
  ASSERT_EQ(accepted(window, nonce(kMillion)), Status::kSuccess);
  for (uint64_t i = 1; i <= kMillion; ++i) ASSERT_EQ(accepted(window, nonce(i)), Status::kNonceReuse) << i;
  EXPECT_EQ(accepted(window, nonce(0)), Status::kSuccess) << "the oldest, and only it, is forgotten";
  EXPECT_EQ(window.used(), kMillion);
}

// The same answers as the simplest thing that is right, for capacities around the steps of growth.
TEST(NonceWindow, AnswersLikeAPlainQueue) {
  for (const uint32_t capacity : {1u, 2u, 3u, 63u, 64u, 65u, 127u, 128u, 129u, 1000u}) {
    std::mt19937_64 random(capacity);
    NonceWindow window(capacity, nullptr, nullptr, {random(), random()});
    std::deque<uint64_t> order;
    std::set<uint64_t> known;
    for (int i = 0; i < 20'000; ++i) {
      const uint64_t value = random() % (2 * capacity);
      ASSERT_EQ(accepted(window, nonce(value)), known.contains(value) ? Status::kNonceReuse : Status::kSuccess);
      if (!known.insert(value).second) continue;
      order.push_back(value);
      if (order.size() > capacity) {
        known.erase(order.front());
        order.pop_front();
      }
      ASSERT_EQ(window.used(), order.size());
    }
  }
}

// Nonces that all fall on one place of the index, and around its end: somebody who knew the seed would choose such
// ones.
TEST(NonceWindow, StaysRightWhenAllNoncesHaveTheSameHash) {
  constexpr uint32_t kCapacity = 64;
  constexpr uint64_t kMask = 127, kWanted = 126;
  std::vector<Nonce> colliding;
  for (uint64_t i = 0; colliding.size() < 3 * kCapacity; ++i) {
    if ((nonce_hash(kSeed, nonce(i)) & kMask) == kWanted) colliding.push_back(nonce(i));
  }
  NonceWindow window(kCapacity, nullptr, nullptr, kSeed);
  for (size_t i = 0; i < colliding.size(); ++i) {
    ASSERT_EQ(accepted(window, colliding[i]), Status::kSuccess) << i;
    for (size_t known = i < kCapacity ? 0 : i + 1 - kCapacity; known <= i; ++known) {
      ASSERT_EQ(accepted(window, colliding[known]), Status::kNonceReuse) << i << " " << known;
    }
  }
  EXPECT_EQ(accepted(window, colliding[0]), Status::kSuccess);
}

TEST(NonceWindow, SeedsGiveDifferentHashes) {
  std::map<uint64_t, int> places;
  for (uint64_t seed = 0; seed < 64; ++seed) ++places[nonce_hash({seed, ~seed}, nonce(1)) & 0xffff];
  EXPECT_GT(places.size(), 60u);
}

TEST(NonceWindow, SpreadsNoncesThatCount) {
  for (const size_t counting_byte : {0u, 4u, 8u}) {
    std::map<uint64_t, int> places;
    for (uint32_t i = 0; i < 4096; ++i) {
      Nonce value{};
      std::memcpy(value.data() + counting_byte, &i, sizeof i);
      ++places[nonce_hash(kSeed, value) & 8191];
    }
    EXPECT_GT(places.size(), 3000u) << "random places would give about 3,220 of 8,192";
  }
}

TEST(NonceWindow, LetsExactlyOneOfTwoThreadsInWithTheSameNonce) {
  constexpr uint64_t kNonces = 20'000;
  NonceWindow window(kNonces, nullptr, nullptr, kSeed);
  std::array<std::atomic<int>, 2> winners{};
  std::vector<std::atomic<int>> wins(kNonces);
  const auto work = [&](size_t self) {
    for (uint64_t i = 0; i < kNonces; ++i) {
      if (window.accept(nonce(i))) ++wins[i], ++winners[self];
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  for (uint64_t i = 0; i < kNonces; ++i) ASSERT_EQ(wins[i], 1) << i;
  EXPECT_EQ(winners[0] + winners[1], static_cast<int>(kNonces));
}

TEST(NonceWindow, TakesNoMemoryBeforeTheFirstNonceAndGivesAllBack) {
  WindowBudget service(1 << 20), principal(1 << 20);
  {
    NonceWindow window(1000, &service, &principal, kSeed);
    EXPECT_EQ(service.used(), 0u);
    ASSERT_TRUE(window.accept(nonce(1)));
    EXPECT_GT(service.used(), 0u);
    EXPECT_LT(service.used(), 2000u) << "a small start";
    for (uint64_t i = 2; i < 1000; ++i) ASSERT_TRUE(window.accept(nonce(i)));
    EXPECT_EQ(service.used(), principal.used());
  }
  EXPECT_EQ(service.used(), 0u);
  EXPECT_EQ(principal.used(), 0u);
}

TEST(NonceWindow, TakesAboutTwentyBytesForANonce) {
  WindowBudget service(64 << 20);
  NonceWindow window(1'000'000, &service, nullptr, kSeed);
  for (uint64_t i = 0; i < 1'000'000; ++i) ASSERT_TRUE(window.accept(nonce(i)));
  EXPECT_LE(service.used(), 21'000'000u);
}

// used counts what both budgets hold, so that a refusal of the second one must not leave a debt at the first.
TEST(NonceWindow, SaysSoAtABudgetAndForgetsNothing) {
  for (const bool of_service : {true, false}) {
    WindowBudget small(4000), large(1 << 20);
    NonceWindow window(1000, of_service ? &small : &large, of_service ? &large : &small, kSeed);
    uint64_t count = 0;
    while (accepted(window, nonce(count)) == Status::kSuccess) ++count;
    EXPECT_GT(count, 0u);
    EXPECT_LT(count, 1000u);
    EXPECT_EQ(accepted(window, nonce(count)), Status::kLimitReached) << "not inserted by the first attempt";
    for (uint64_t i = 0; i < count; ++i) ASSERT_EQ(accepted(window, nonce(i)), Status::kNonceReuse);
    EXPECT_EQ(small.used(), large.used());
  }
}

TEST(WindowBudget, IsNeverOverdrawn) {
  WindowBudget budget(10);
  EXPECT_TRUE(budget.take(10));
  EXPECT_FALSE(budget.take(1));
  EXPECT_FALSE(budget.take(SIZE_MAX));
  budget.give_back(4);
  EXPECT_FALSE(budget.take(5));
  EXPECT_TRUE(budget.take(4));
  EXPECT_EQ(budget.used(), 10u);
}

TEST(NonceWindow, OfCapacityZeroRemembersNothing) {
  NonceWindow window(0, nullptr, nullptr, kSeed);
  EXPECT_TRUE(window.accept(nonce(1)));
  EXPECT_TRUE(window.accept(nonce(1)));
  EXPECT_EQ(window.used(), 0u);
}

}  // namespace
}  // namespace wvds::keystore
