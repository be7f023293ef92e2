#include "service/key_cache.h"

#include <gtest/gtest.h>

#include <thread>

#include "service/key_guard.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

class Cache : public ::testing::Test {
 protected:
  uint32_t make_key() {
    keystore::KeySpec spec;
    spec.algorithm = Algorithm::kAes256Gcm;
    spec.lifetime = Lifetime::kVolatile;
    spec.usages = Usage::kEncrypt | Usage::kDecrypt;
    const auto key = store_.generate(name_, 1, spec);
    EXPECT_TRUE(key.has_value());
    return key ? (*key)->id() : 0;
  }
  void remove(uint32_t key) { ASSERT_TRUE(store_.remove(name_, 1, key, 0).has_value()); }
  crypto::AeadSealer* sealer(KeyCache& cache, uint32_t id) {
    auto key = cache.find(id);
    EXPECT_TRUE(key.has_value());
    auto version = (*key)->active();
    EXPECT_TRUE(version.has_value());
    return (*version)->sealer(Harness::library(), crypto::NonceMode::kCounter).value_or(nullptr);
  }

  Harness harness_;
  keystore::KeyStore& store_ = *harness_.service().state().store;
  const std::string name_ = "gateway";
};

TEST_F(Cache, KeepsOneSealerForAKeyVersion) {
  KeyCache cache(store_, name_, 1);
  const uint32_t key = make_key();
  crypto::AeadSealer* first = sealer(cache, key);
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(sealer(cache, key), first);
  ASSERT_TRUE(store_.rotate(name_, 1, key).has_value());
  EXPECT_NE(sealer(cache, key), first);
}

TEST_F(Cache, HoldsNoMoreThanItsCapacityAndLetsGoOfTheLeastUsed) {
  KeyCache cache(store_, name_, 1, 2);
  const uint32_t a = make_key();
  const uint32_t b = make_key();
  const uint32_t c = make_key();
  crypto::AeadSealer* of_a = sealer(cache, a);
  sealer(cache, b);
  EXPECT_EQ(sealer(cache, a), of_a);
  sealer(cache, c);  // b goes
  EXPECT_EQ(cache.size(), 2u);
  EXPECT_EQ(sealer(cache, a), of_a);
}

TEST_F(Cache, FindsNoDeletedKey) {
  KeyCache cache(store_, name_, 1);
  const uint32_t key = make_key();
  ASSERT_TRUE(cache.find(key).has_value());
  remove(key);
  EXPECT_EQ(cache.find(key).error().status, Status::kKeyNotFound);
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(Cache, SweepKeepsTheGoodKeys) {
  KeyCache cache(store_, name_, 1);
  const uint32_t good = make_key();
  const uint32_t deleted = make_key();
  ASSERT_TRUE(cache.find(good).has_value());
  ASSERT_TRUE(cache.find(deleted).has_value());
  remove(deleted);
  cache.sweep();
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_TRUE(cache.find(good).has_value());
}

TEST_F(Cache, OfAnIdleWorkerLetsGoOfADeletedKeyAtOnce) {
  KeyGuards guards;
  KeyCache cache(store_, name_, 1);
  KeyGuard guard(cache, guards);
  const uint32_t key = make_key();
  guard.enter();
  ASSERT_TRUE(cache.find(key).has_value());
  guard.leave();
  remove(key);
  guards.key_deleted();
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(Cache, OfABusyWorkerLetsGoOfADeletedKeyAtItsRequestsEnd) {
  KeyGuards guards;
  KeyCache cache(store_, name_, 1);
  KeyGuard guard(cache, guards);
  const uint32_t key = make_key();
  guard.enter();
  ASSERT_TRUE(cache.find(key).has_value());
  remove(key);
  guards.key_deleted();
  EXPECT_EQ(cache.size(), 1u) << "not under the worker's hands";
  guard.leave();
  EXPECT_EQ(cache.size(), 0u);
}

// Workers that come and go against deletions: ThreadSanitizer looks on, and in the end nothing deleted is left.
TEST_F(Cache, IsSharedSafelyByWorkerAndDeletions) {
  KeyGuards guards;
  KeyCache cache(store_, name_, 1);
  KeyGuard guard(cache, guards);
  constexpr int kRounds = 300;
  std::vector<uint32_t> keys;
  for (int i = 0; i < kRounds; ++i) keys.push_back(make_key());
  std::thread worker([&] {
    for (const uint32_t key : keys) {
      guard.enter();
      static_cast<void>(cache.find(key));
      guard.leave();
    }
  });
  for (const uint32_t key : keys) {
    remove(key);
    guards.key_deleted();
  }
  worker.join();
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace wvds::service::testing
