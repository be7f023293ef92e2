#include <gtest/gtest.h>

#include "keystore/testing/store_bed.h"

// Use counts: reserved ahead, exact after a clean stop, never too low.
namespace wvds::keystore {
namespace {

using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

KeySpec aes(Lifetime lifetime = Lifetime::kPersistent) { return spec_of(Algorithm::kAes256Gcm, lifetime); }

void use(const VersionRef& version, uint64_t times) {
  for (uint64_t i = 0; i < times; ++i) ASSERT_EQ(status_of(version->count_use()), Status::kSuccess) << i;
}

class UseCounts : public ::testing::Test, public StoreBed {
 protected:
  UseCounts() {
    config.use_limit = 1000;
    config.use_block = 100;
  }
};

TEST_F(UseCounts, AreExactAfterACleanStop) {
  open();
  const uint32_t id = generate(aes());
  EXPECT_EQ(active(id)->use_limit(), 1000u);
  use(active(id), 37);
  EXPECT_EQ(active(id)->uses(), 37u);
  for (int i = 0; i < 3; ++i) {
    open();
    EXPECT_EQ(active(id)->uses(), 37u);
  }
}

TEST_F(UseCounts, AreNeverTooLowAfterACrash) {
  open();
  const uint32_t id = generate(aes());
  uint64_t done = 0;
  for (int start = 0; start < 4; ++start) {
    use(active(id), 37);
    done += 37;
    crash();
    open();
    EXPECT_GE(active(id)->uses(), done);
    EXPECT_LE(active(id)->uses(), done + 100u * static_cast<unsigned>(start + 1)) << "at most a block is lost";
  }
}

TEST_F(UseCounts, OfAKeyThatIsNotReadAreKept) {
  open();
  const uint32_t id = generate(aes());
  use(active(id), 5);
  for (int i = 0; i < 3; ++i) {
    open();
    crash();
    open();
  }
  EXPECT_GE(active(id)->uses(), 5u);
}

TEST_F(UseCounts, NeedNoWriteBetweenReservations) {
  open();
  const uint32_t id = generate(aes());
  const auto version = active(id);
  const size_t before = medium.changes;
  use(version, 100);
  EXPECT_EQ(medium.changes, before);
  EXPECT_EQ(status_of(version->count_use()), Status::kStorageError) << "here nobody reserves in the background";
  ASSERT_TRUE(store->refill());
  EXPECT_EQ(medium.changes, before + 2) << "both copies of the index";
  use(version, 100);
}

TEST_F(UseCounts, OfAllKeysAreReservedByOneWriteAtTheStart) {
  open();
  std::vector<uint32_t> ids;
  for (int i = 0; i < 50; ++i) ids.push_back(generate(aes()));
  close();
  const size_t before = medium.changes;
  open();
  for (const uint32_t id : ids) use(active(id), 100);
  EXPECT_EQ(medium.changes, before + 2);
}

TEST_F(UseCounts, EndAtTheLimit) {
  open();
  const uint32_t id = generate(aes());
  const auto version = active(id);
  for (int i = 0; i < 1000; ++i) {
    if (!version->count_use()) {
      ASSERT_TRUE(store->refill());
      ASSERT_TRUE(version->count_use()) << i;
    }
  }
  for (int start = 0; start < 2; ++start) {
    EXPECT_EQ(status_of(active(id)->count_use()), Status::kKeyUsedUp);
    EXPECT_EQ(active(id)->uses(), 1000u);
    open();
  }
  ASSERT_TRUE(store->rotate("alice", 1, id));
  EXPECT_EQ(active(id)->uses(), 0u) << "each version has a limit of its own";
  use(active(id), 100);
}

TEST_F(UseCounts, OfKeysInMemoryEndAtTheLimitWithoutADisk) {
  open();
  const auto version = active(generate(aes(Lifetime::kVolatile)));
  medium.failing = true;
  use(version, 1000);
  EXPECT_EQ(status_of(version->count_use()), Status::kKeyUsedUp);
}

TEST_F(UseCounts, OfAKeyThatOnlyDecryptsHaveNoLimit) {
  open();
  KeySpec spec = aes();
  spec.usages = static_cast<Usages>(Usage::kDecrypt);
  EXPECT_EQ(active(generate(spec))->use_limit(), 0u);
}

TEST_F(UseCounts, OfOtherAlgorithmsHaveNoLimit) {
  open();
  const auto version = active(generate(spec_of(Algorithm::kMlDsa44)));
  EXPECT_EQ(version->use_limit(), 0u);
  use(version, 2000);
}

TEST_F(UseCounts, WarnAtThreeQuarters) {
  config.use_block = 1000;
  open();
  const uint32_t id = generate(aes());
  use(active(id), 749);
  EXPECT_FALSE(warns_of("rotate it"));
  use(active(id), 1);
  EXPECT_TRUE(warns_of("key " + std::to_string(id) + " version 1 has used 750 of its 1000"));
  ASSERT_TRUE(store->rotate("alice", 1, id));
  EXPECT_FALSE(warns_of("rotate it"));
}

TEST_F(UseCounts, AreRefusedWhenNothingCanBeReserved) {
  open();
  const uint32_t id = generate(aes());
  const auto version = active(id);
  medium.failing = true;
  EXPECT_FALSE(store->refill());
  use(version, 100);
  EXPECT_EQ(status_of(version->count_use()), Status::kStorageError);
  EXPECT_EQ(version->uses(), 100u);
  EXPECT_TRUE(warns_of("can't be reserved"));
  medium.failing = false;
  ASSERT_TRUE(store->refill());
  use(version, 100);
}

TEST_F(UseCounts, OfAVersionThatIsNewerThanTheIndexCountAsUsed) {
  open();
  const uint32_t id = generate(aes());
  ASSERT_TRUE(store->refill());
  use(active(id), 10);
  ASSERT_TRUE(store->rotate("alice", 1, id));
  use(active(id), 60);
  crash();
  open();
  EXPECT_EQ(active(id)->number(), 2u);
  EXPECT_GE(active(id)->uses(), 60u);
  EXPECT_LE(active(id)->uses(), 100u);
  ASSERT_TRUE(store->refill());
  use(active(id), 100);
}

TEST_F(UseCounts, OfARetiredVersionStayAnUpperBound) {
  open();
  const uint32_t id = generate(aes());
  use(active(id), 60);
  ASSERT_TRUE(store->rotate("alice", 1, id));
  for (int i = 0; i < 3; ++i) {
    const auto retired = find(id)->versions()[1];
    EXPECT_GE(retired->uses(), 60u);
    EXPECT_LE(retired->uses(), 200u);
    open();
  }
}

TEST_F(UseCounts, AWorkerWithTheFormerVersionKeepsTheUsesItWasGranted) {
  open();
  const uint32_t id = generate(aes());
  const auto former = active(id);
  ASSERT_TRUE(store->rotate("alice", 1, id));
  use(former, 100);
  EXPECT_EQ(status_of(former->count_use()), Status::kStorageError);
  crash();
  open();
  EXPECT_GE(find(id)->versions()[1]->uses(), 100u) << "the record had granted them";
}

TEST_F(UseCounts, AreReservedInTheBackground) {
  options.background = true;
  options.now = platform::monotonic_now;
  options.write_delay = std::chrono::milliseconds(1);
  config.use_limit = 1ull << 32;
  open();
  const uint32_t id = generate(aes());
  use(active(id), 20'000);
  crash();
  open();
  EXPECT_GE(active(id)->uses(), 20'000u);
}

TEST_F(UseCounts, AreRefusedAtOnceWhileTheBackgroundCannotReserve) {
  options.background = true;
  options.write_delay = std::chrono::hours(1);
  open();
  const auto version = active(generate(aes()));
  medium.failing = true;
  Status status = Status::kSuccess;
  uint64_t taken = 0;
  while (status == Status::kSuccess) {
    status = status_of(version->count_use());
    taken += status == Status::kSuccess;
  }
  EXPECT_EQ(status, Status::kStorageError);
  EXPECT_EQ(taken, 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(status_of(version->count_use()), Status::kStorageError);
}

}  // namespace
}  // namespace wvds::keystore
