#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "keystore/testing/store_bed.h"

// Limits per principal, and ids.
namespace wvds::keystore {
namespace {

using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

constexpr std::array kLifetimes{Lifetime::kSession, Lifetime::kVolatile, Lifetime::kPersistent};

KeySpec aes(Lifetime lifetime = Lifetime::kPersistent) { return spec_of(Algorithm::kAes256Gcm, lifetime); }

TEST(PrincipalLimits, BoundTheKeysOfEachLifetimeByThemselves) {
  StoreBed bed;
  bed.principal("alice").limits.session_keys = 2;
  bed.principal("alice").limits.volatile_keys = 2;
  bed.principal("alice").limits.persistent_keys = 2;
  bed.open();
  for (const Lifetime lifetime : kLifetimes) {
    const uint32_t first = bed.generate(aes(lifetime), "alice", 1);
    bed.generate(aes(lifetime), "alice", 2);
    EXPECT_EQ(status_of(bed.store->generate("alice", 3, aes(lifetime))), Status::kLimitReached)
        << "over all its sessions";
    EXPECT_EQ(status_of(bed.store->import_secret("alice", 3, aes(lifetime), std::vector<std::byte>(32))),
              Status::kLimitReached);
    EXPECT_EQ(bed.found(first), Status::kSuccess) << "nothing was evicted";
    bed.generate(aes(lifetime), "bob");
    ASSERT_TRUE(bed.store->remove("alice", 1, first, 0));
    bed.generate(aes(lifetime), "alice", 1);
  }
}

TEST(PrincipalLimits, AreTheSameAfterARestart) {
  StoreBed bed;
  bed.principal("alice").limits.persistent_keys = 2;
  bed.open();
  bed.generate(aes());
  const uint32_t second = bed.generate(aes());
  bed.open();
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached);
  ASSERT_TRUE(bed.store->remove("alice", 1, second, 0));
  EXPECT_TRUE(bed.store->generate("alice", 1, aes()));
}

TEST(PrincipalLimits, OfALoweredLimitKeepTheKeysThatAreThere) {
  StoreBed bed;
  bed.open();
  const uint32_t first = bed.generate(aes()), second = bed.generate(aes());
  bed.principal("alice").limits.persistent_keys = 1;
  bed.principal("alice").limits.store_bytes = 10;
  bed.open();
  EXPECT_EQ(bed.found(first), Status::kSuccess);
  EXPECT_EQ(bed.found(second), Status::kSuccess);
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached);
  EXPECT_EQ(status_of(bed.store->rotate("alice", 1, first)), Status::kLimitReached) << "a larger record";
  EXPECT_TRUE(bed.store->retire("alice", 1, first)) << "no larger record";
}

TEST(PrincipalLimits, StoreBytesAreThoseOfTheRecords) {
  StoreBed bed;
  bed.open();
  const uint32_t id = bed.generate(spec_of(Algorithm::kMlDsa65));
  const size_t size = bed.blob(record_name(id)).size();
  bed.close();
  bed.medium.blobs.clear();
  bed.principal("alice").limits.store_bytes = 2 * size;
  bed.open();
  const uint32_t first = bed.generate(spec_of(Algorithm::kMlDsa65));
  bed.generate(spec_of(Algorithm::kMlDsa65));
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached);
  EXPECT_EQ(status_of(bed.store->rotate("alice", 1, first)), Status::kLimitReached);
  EXPECT_TRUE(bed.store->generate("alice", 1, aes(Lifetime::kVolatile))) << "takes no store";
  ASSERT_TRUE(bed.store->remove("alice", 1, first, 0));
  EXPECT_TRUE(bed.store->generate("alice", 1, aes()));
}

TEST(PrincipalLimits, AFailedAttemptTakesNothing) {
  StoreBed bed;
  bed.principal("alice").limits.persistent_keys = 2;
  bed.open();
  const uint32_t id = bed.generate(aes());
  bed.medium.failing = true;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kStorageError);
    EXPECT_EQ(status_of(bed.store->rotate("alice", 1, id)), Status::kStorageError);
    EXPECT_EQ(status_of(bed.store->remove("alice", 1, id, 0)), Status::kStorageError);
  }
  EXPECT_EQ(bed.find(id)->versions().size(), 1u) << "nothing changed";
  EXPECT_TRUE(bed.active(id)->count_use());
  bed.medium.failing = false;
  EXPECT_TRUE(bed.store->generate("alice", 1, aes()));
  EXPECT_EQ(bed.store->counts().persistent, 2u);
}

TEST(PrincipalLimits, KeysPerMinuteAreATokenBucket) {
  StoreBed bed;
  bed.principal("alice").limits.keys_per_minute = 6;
  bed.open();
  const uint32_t id = bed.generate(aes(Lifetime::kVolatile));
  ASSERT_TRUE(bed.store->import_secret("alice", 1, aes(Lifetime::kSession), std::vector<std::byte>(32)));
  ASSERT_TRUE(bed.store->rotate("alice", 1, id));
  for (int i = 0; i < 3; ++i) bed.generate(aes());
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached);
  EXPECT_EQ(status_of(bed.store->rotate("alice", 1, id)), Status::kLimitReached);
  bed.generate(aes(), "bob");
  bed.now += std::chrono::seconds(9);
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached);
  bed.now += std::chrono::seconds(2);
  bed.generate(aes());
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached);
  bed.now += std::chrono::hours(1);
  for (int i = 0; i < 6; ++i) bed.generate(aes());
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, aes())), Status::kLimitReached)
      << "never more than a minute's at once";
}

TEST(Holdings, AreWhatThePrincipalHasNow) {
  StoreBed bed;
  bed.principal("alice").limits.keys_per_minute = 6;
  bed.open();
  const uint32_t stored = bed.generate(aes());
  bed.generate(aes(Lifetime::kVolatile));
  bed.generate(aes(Lifetime::kSession), "alice", 1);
  bed.generate(aes(Lifetime::kSession), "alice", 2);
  bed.generate(aes(), "bob");
  Holdings held = bed.store->holdings("alice").value();
  EXPECT_EQ(held.persistent_keys, 1u);
  EXPECT_EQ(held.volatile_keys, 1u);
  EXPECT_EQ(held.session_keys, 2u);
  EXPECT_EQ(held.keys_of_minute, 4u);
  EXPECT_EQ(held.store_bytes, bed.blob(record_name(stored)).size());
  EXPECT_EQ(held.window_bytes, 0u);

  bed.now += std::chrono::seconds(11);
  EXPECT_EQ(bed.store->holdings("alice")->keys_of_minute, 3u) << "one came back in the eleventh second";
  bed.now += std::chrono::hours(1);
  ASSERT_TRUE(bed.active(stored)->window()->accept({}));
  bed.store->end_session(2);
  held = bed.store->holdings("alice").value();
  EXPECT_EQ(held.keys_of_minute, 0u);
  EXPECT_GT(held.window_bytes, 0u);
  EXPECT_EQ(held.session_keys, 1u);
  ASSERT_TRUE(bed.store->remove("alice", 1, stored, 0));
  held = bed.store->holdings("alice").value();
  EXPECT_EQ(held.persistent_keys, 0u);
  EXPECT_EQ(held.store_bytes, 0u);
}

TEST(Holdings, AreOfPrincipalsOfTheConfiguration) {
  StoreBed bed;
  bed.open();
  EXPECT_EQ(bed.store->holdings("alice")->keys_of_minute, 0u) << "before anything was made";
  EXPECT_EQ(status_of(bed.store->holdings("nobody")), Status::kDenied);
}

TEST(PrincipalLimits, AnImproperRequestCostsNoToken) {
  StoreBed bed;
  bed.principal("alice").limits.keys_per_minute = 1;
  bed.open();
  KeySpec improper = aes();
  improper.usages = 0;
  EXPECT_EQ(status_of(bed.store->generate("alice", 1, improper)), Status::kInvalidPayload);
  EXPECT_TRUE(bed.store->generate("alice", 1, aes()));
}

TEST(PrincipalLimits, WindowMemoryIsBoundedPerPrincipalAndInAll) {
  StoreBed bed;
  bed.principal("alice").limits.window_bytes = 1500;
  bed.config.window_bytes = 5000;
  bed.open();
  const auto fill = [](const VersionRef& version) {
    uint32_t accepted = 0;
    crypto::Nonce nonce{};
    while (accepted < 1000 && version->window()->accept(nonce)) {
      ++accepted;
      std::memcpy(nonce.data(), &accepted, sizeof accepted);
    }
    return accepted;
  };
  const auto first = bed.active(bed.generate(aes())), second = bed.active(bed.generate(aes()));
  EXPECT_EQ(fill(first), 64u);
  EXPECT_EQ(fill(second), 0u) << "alice's budget";
  EXPECT_GT(fill(bed.active(bed.generate(aes(), "bob"), "bob")), 64u);
  EXPECT_EQ(status_of(first->window()->accept(crypto::Nonce{std::byte{0xff}})), Status::kLimitReached);
}

// Ids of all lifetimes, over clean restarts and crashes.
TEST(KeyIds, AreNeverUsedAgain) {
  StoreBed bed;
  bed.options.stored_id_block = 4;
  bed.options.memory_id_block = 4;
  std::set<uint32_t> seen;
  for (int start = 0; start < 20; ++start) {
    bed.open();
    for (int i = 0; i < 3 + start % 7; ++i) {
      for (const Lifetime lifetime : kLifetimes) {
        const uint32_t id = bed.generate(aes(lifetime));
        EXPECT_TRUE(seen.insert(id).second) << id;
        EXPECT_EQ(id < kFirstMemoryId, lifetime == Lifetime::kPersistent) << "each kind has a range of its own";
        if (i % 2 == 0) {
          ASSERT_TRUE(bed.store->remove("alice", 1, id, 0));
        }
      }
    }
    if (start % 3 != 0) bed.crash();
  }
}

TEST(KeyIds, StartAtOneAndCountOnOverACleanStop) {
  StoreBed bed;
  bed.open();
  EXPECT_EQ(bed.generate(aes()), 1u);
  EXPECT_EQ(bed.generate(aes(Lifetime::kVolatile)), kFirstMemoryId);
  bed.open();
  EXPECT_EQ(bed.generate(aes()), 2u);
  EXPECT_EQ(bed.generate(aes(Lifetime::kVolatile)), kFirstMemoryId + 1);
}

TEST(KeyIds, OfAnAttemptThatFailedAreNotUsedAgain) {
  StoreBed bed;
  bed.open();
  const uint32_t before = bed.generate(aes());
  bed.medium.failing = true;
  EXPECT_FALSE(bed.store->generate("alice", 1, aes()));
  bed.medium.failing = false;
  EXPECT_GT(bed.generate(aes()), before + 1) << "its record may lie on the disk";
}

TEST(KeyIds, AreNotHandedOutBeforeTheyAreReserved) {
  StoreBed bed;
  bed.options.stored_id_block = 2;
  bed.options.memory_id_block = 2;
  bed.open();
  bed.medium.failing = true;
  for (int i = 0; i < 2; ++i) bed.generate(aes(Lifetime::kVolatile));
  const auto refused = bed.store->generate("alice", 1, aes(Lifetime::kVolatile));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kStorageError);
  EXPECT_TRUE(bed.warns_of("can't be reserved"));
  bed.medium.failing = false;
  EXPECT_TRUE(bed.store->generate("alice", 1, aes(Lifetime::kVolatile)));
  EXPECT_FALSE(bed.warns_of("can't be reserved"));
}

TEST(IdRange, EndsWhereItEnds) {
  IdRange range{.next = 0xffff'fef0, .reserved = 0xffff'fef0, .end = 0xffff'ff00};
  EXPECT_FALSE(range.take());
  range.reserved = range.next_reservation(65536);
  EXPECT_EQ(range.reserved, 0xffff'ff00u);
  EXPECT_FALSE(range.runs_low(65536)) << "there is nothing more to reserve";
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(range.take());
  EXPECT_FALSE(range.take());
}

}  // namespace
}  // namespace wvds::keystore
