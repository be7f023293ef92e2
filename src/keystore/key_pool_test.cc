#include "keystore/key_pool.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "crypto/mlkem.h"
#include "keystore/testing/store_bed.h"

namespace wvds::keystore {
namespace {

using testing::bytes_of;
using testing::library;
using testing::spec_of;
using testing::StoreBed;

constexpr auto kKem = Algorithm::kMlKem512;
constexpr std::chrono::minutes kWatchdog{2};

// fill ends when the pool has made what it wants to.
void fill(KeyPool& pool) {
  pool.refill();
  const auto deadline = platform::monotonic_now() + kWatchdog;
  while (!pool.idle()) {
    ASSERT_LT(platform::monotonic_now(), deadline) << "the pool makes no keys";
    std::this_thread::yield();
  }
}

TEST(KeyPool, MakesNothingThatNobodyAskedFor) {
  ExpandedKeys expanded(10);
  KeyPool pool(library(), expanded, {3, 3});
  ASSERT_TRUE(pool.start(std::chrono::milliseconds(0)));
  EXPECT_TRUE(pool.idle());
  EXPECT_TRUE(pool.take(kKem));
  fill(pool);
  EXPECT_EQ(pool.ready(kKem), 3u);
  EXPECT_EQ(pool.ready(Algorithm::kMlDsa44), 0u);
}

TEST(KeyPool, HandsOutEachKeyOnceAndFillsUpAgain) {
  ExpandedKeys expanded(10);
  KeyPool pool(library(), expanded, {2, 2});
  ASSERT_TRUE(pool.start(std::chrono::milliseconds(0)));
  std::set<std::vector<std::byte>> seen;
  for (int i = 0; i < 20; ++i) {
    const auto key = pool.take(kKem);
    ASSERT_TRUE(key.has_value());
    EXPECT_TRUE(seen.insert(bytes_of(key->secret.expose())).second);
    const auto expanded_key = crypto::MlKemPrivateKey::from_seed(library(), kKem, key->secret.expose()).value();
    EXPECT_EQ(bytes_of(expanded_key->encapsulation_key()), key->public_key);
    if (i % 5 == 0) fill(pool);
  }
}

TEST(KeyPool, MakesNothingWhileSomebodyAsks) {
  ExpandedKeys expanded(10);
  KeyPool pool(library(), expanded, {2, 2});
  ASSERT_TRUE(pool.start(std::chrono::hours(1)));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(pool.take(kKem));
  EXPECT_EQ(pool.ready(kKem), 0u);
}

// With a quiet time for each key the watchdog would bite.
TEST(KeyPool, FillsItsShelvesAfterOneQuietTime) {
  constexpr size_t kMany = 100;
  ExpandedKeys expanded(10);
  KeyPool pool(library(), expanded, {kMany, kMany});
  ASSERT_TRUE(pool.start(std::chrono::milliseconds(kWatchdog) / 80));
  EXPECT_TRUE(pool.take(kKem));
  fill(pool);
  EXPECT_EQ(pool.ready(kKem), kMany);
}

TEST(KeyPool, WakesNobodyBeforeItIsTold) {
  ExpandedKeys expanded(10);
  KeyPool pool(library(), expanded, {2, 2});
  ASSERT_TRUE(pool.start(std::chrono::milliseconds(0)));
  EXPECT_TRUE(pool.take(kKem));
  fill(pool);
  EXPECT_TRUE(pool.take(kKem));
  EXPECT_TRUE(pool.take(kKem));
  EXPECT_EQ(pool.ready(kKem), 0u);
  fill(pool);
  EXPECT_EQ(pool.ready(kKem), 2u);
}

TEST(KeyPool, WorksWithoutItsThreadAndWithoutShelves) {
  ExpandedKeys expanded(10);
  KeyPool not_started(library(), expanded, {2, 2});
  EXPECT_TRUE(not_started.take(kKem));
  KeyPool empty(library(), expanded, {0, 0});
  ASSERT_TRUE(empty.start(std::chrono::milliseconds(0)));
  EXPECT_TRUE(empty.take(kKem));
  EXPECT_TRUE(empty.take(Algorithm::kAes256Gcm)) << "made, never pooled";
}

TEST(KeyPool, ServesSessionKeysOfAStore) {
  StoreBed bed;
  bed.options.background = true;
  bed.options.pool_quiet = std::chrono::milliseconds(0);
  bed.open();
  std::set<std::vector<std::byte>> seen;
  for (int i = 0; i < 30; ++i) {
    const auto lifetime = i % 3 == 0 ? Lifetime::kVolatile : Lifetime::kSession;
    const auto version = bed.active(bed.generate(spec_of(kKem, lifetime)));
    EXPECT_TRUE(seen.insert(bytes_of(version->public_key())).second);
    EXPECT_TRUE(version->mlkem_private());
    bed.store->refill_pool();
  }
}

}  // namespace
}  // namespace wvds::keystore
