#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <set>
#include <thread>
#include <vector>

#include "keystore/testing/store_bed.h"

// Many threads on one store, with the reservation thread at work. ThreadSanitizer looks on.
namespace wvds::keystore {
namespace {

using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

constexpr size_t kThreads = 4;

KeySpec aes(Lifetime lifetime = Lifetime::kPersistent) { return spec_of(Algorithm::kAes256Gcm, lifetime); }

class BusyStore : public ::testing::Test, public StoreBed {
 protected:
  BusyStore() {
    options.background = true;
    options.write_delay = std::chrono::milliseconds(1);
    options.now = platform::monotonic_now;
    options.memory_id_block = 64;
    options.stored_id_block = 4;
    config.use_block = 64;
    for (Principal& principal : principals) principal.limits.keys_per_minute = 1'000'000;
  }

  template <class Work>
  static void in_threads(Work work) {
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) threads.emplace_back(work, i);
    for (auto& thread : threads) thread.join();
  }
};

TEST_F(BusyStore, CountsEveryUseOfAllThreads) {
  open();
  const uint32_t id = generate(aes());
  constexpr uint64_t kUses = 20'000;
  std::atomic<uint64_t> refused = 0;
  in_threads([&](size_t) {
    const auto version = store->find("alice", 1, id)->key->active().value();
    for (uint64_t i = 0; i < kUses; ++i) refused += !version->count_use();
  });
  EXPECT_EQ(refused, 0u) << "the reservation kept up, or was waited for";
  EXPECT_EQ(active(id)->uses(), kThreads * kUses);
  open();
  EXPECT_EQ(active(id)->uses(), kThreads * kUses);
}

TEST_F(BusyStore, HandsOutEachIdOnce) {
  open();
  std::array<std::vector<uint32_t>, kThreads> ids;
  in_threads([&](size_t self) {
    for (int i = 0; i < 100; ++i) {
      const auto lifetime = i % 10 == 0 ? Lifetime::kPersistent : Lifetime::kSession;
      const auto key = store->generate("alice", self, aes(lifetime));
      ASSERT_TRUE(key.has_value()) << key.error().detail;
      ids[self].push_back((*key)->id());
      if (i % 2 == 0 && lifetime == Lifetime::kSession) {
        ASSERT_TRUE(store->remove("alice", self, (*key)->id(), 0));
      }
    }
    store->end_session(self);
  });
  std::set<uint32_t> all;
  for (const auto& one : ids) all.insert(one.begin(), one.end());
  EXPECT_EQ(all.size(), kThreads * 100);
  EXPECT_EQ(store->counts().in_memory, 0u);
  EXPECT_EQ(store->counts().persistent, kThreads * 10);
}

TEST_F(BusyStore, ServesWorkersWhileItsKeysAreChanged) {
  open();
  const uint32_t id = generate(aes()), in_memory = generate(aes(Lifetime::kVolatile));
  std::atomic<bool> done = false;
  std::atomic<uint64_t> served = 0;
  std::thread changer([&] {
    for (int i = 0; i < 50; ++i) {
      for (const uint32_t one : {id, in_memory}) {
        EXPECT_TRUE(store->rotate("alice", 1, one));
        const auto versions = store->find("alice", 1, one)->key->versions();
        if (versions.size() > kRetainedVersions) {
          EXPECT_TRUE(store->remove("alice", 1, one, versions.back()->number()));
        }
      }
      static_cast<void>(store->warnings());
      static_cast<void>(store->list("alice", 1, 0, 10).value());
    }
    done = true;
  });
  std::thread worker([&] {
    VersionRef version;
    uint32_t seen = 0;
    const auto key = store->find("alice", 1, id)->key;
    do {
      if (version == nullptr || key->change_count() != seen || version->deleted()) {
        seen = key->change_count();
        auto active = key->active();
        EXPECT_TRUE(active) << active.error().detail;
        if (!active) break;
        version = *std::move(active);
      }
      // The former version keeps what it was granted; only a deleted one refuses.
      const auto counted = version->count_use();
      if (counted) ++served;
      EXPECT_TRUE(counted || version->state() == VersionState::kRetired);
    } while (!done);
  });
  changer.join();
  worker.join();
  EXPECT_GT(served, 0u);
  EXPECT_EQ(active(id)->number(), 51u);
}

// Who asks in the middle of a rotation gets the former version or the new one, never "the key is retired".
TEST_F(BusyStore, HasAnActiveVersionAtEachMomentOfARotation) {
  open();
  const uint32_t id = generate(aes(Lifetime::kVolatile));
  const auto key = store->find("alice", 1, id)->key;
  std::atomic<uint64_t> refused = 0, rotated = 0;
  std::atomic<size_t> changers = 2;
  in_threads([&](size_t self) {
    if (self >= 2) {
      do {
        refused += !key->active();
      } while (changers > 0);
      return;
    }
    for (int i = 0; i < 20000; ++i) {
      const auto version = store->rotate("alice", 1, id);
      EXPECT_TRUE(version) << version.error().detail;
      rotated += version.has_value();
      if (version && (*version)->number() > 2) {  // leaves room for what the other one adds meanwhile
        EXPECT_TRUE(store->remove("alice", 1, id, (*version)->number() - 2));
      }
    }
    --changers;
  });
  EXPECT_EQ(refused, 0u);
  EXPECT_EQ(active(id)->number(), rotated + 1);
}

TEST_F(BusyStore, LetsOneOfManyDeleteAKey) {
  open();
  for (const Lifetime lifetime : {Lifetime::kPersistent, Lifetime::kVolatile}) {
    const uint32_t id = generate(aes(lifetime));
    std::atomic<int> deleted = 0;
    in_threads([&](size_t) { deleted += store->remove("alice", 1, id, 0).has_value(); });
    EXPECT_EQ(deleted, 1);
  }
}

TEST_F(BusyStore, ExpandsOneKeyForManyThreads) {
  config.expanded_keys = 1;
  open();
  const uint32_t one = generate(spec_of(Algorithm::kMlKem512)), two = generate(spec_of(Algorithm::kMlDsa44));
  open();
  in_threads([&](size_t self) {
    for (int i = 0; i < 20; ++i) {
      const auto version =
          store->find("alice", 1, (self + static_cast<size_t>(i)) % 2 == 0 ? one : two)->key->active().value();
      const bool served = version->mlkem_private().has_value() || version->mldsa_private().has_value();
      EXPECT_TRUE(served);
    }
  });
}

}  // namespace
}  // namespace wvds::keystore
