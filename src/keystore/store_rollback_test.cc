#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "keystore/testing/fake_counter.h"
#include "keystore/testing/store_bed.h"

// A store whose whole medium somebody exchanges for an older state.
namespace wvds::keystore {
namespace {

using testing::CountingProtector;
using testing::FakeCounter;
using testing::library;
using testing::spec_of;
using testing::StoreBed;

class StoreWithACounter : public ::testing::Test {
 protected:
  StoreWithACounter() {
    bed_.protector = std::make_unique<CountingProtector>(make_memory_protector(), counter_);
    counter_.value = counter_.first_value = 41;
    pass();
  }

  void pass(std::chrono::milliseconds time = std::chrono::seconds(2)) { bed_.now += time; }

  uint32_t new_key() {
    const uint32_t id = bed_.generate(spec_of(Algorithm::kAes256Gcm));
    pass();
    EXPECT_TRUE(bed_.store->refill());
    return id;
  }

  std::string refusal() {
    bed_.close();
    const auto opened = bed_.try_open();
    return opened ? "not refused" : opened.error().detail;
  }

  // carried is the value in an index, as docs/storage-format.md has it.
  std::optional<uint64_t> carried() {
    std::vector<std::string> warnings;
    auto files = StoreFiles::open(bed_.medium, *bed_.protector, library(), warnings);
    const IndexFields index = (*files)->read_index(warnings).value();
    for (const Extension& extension : index.extensions) {
      if (extension.tag == kRollbackTag) return Reader(Bytes(extension.value).subspan(16)).u64();
    }
    return std::nullopt;
  }

  FakeCounter counter_;
  StoreBed bed_;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST_F(StoreWithACounter, AdvancesItAtAStartAndAfterChangesOfKeysOnly) {
  bed_.open();
  EXPECT_EQ(counter_.value, 42u) << "a start";
  EXPECT_EQ(carried(), 42u);
  const uint32_t id = new_key();
  EXPECT_EQ(counter_.value, 43u) << "a new key";
  for (int i = 0; i < 100; ++i) {
    pass();
    EXPECT_TRUE(bed_.active(id)->count_use());
    EXPECT_TRUE(bed_.store->refill());
    bed_.generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile));
  }
  EXPECT_EQ(counter_.value, 43u) << "uses, reservations and keys in memory";
  EXPECT_TRUE(bed_.store->rotate("alice", 1, id));
  EXPECT_TRUE(bed_.store->refill());
  EXPECT_EQ(counter_.value, 44u) << "a rotation";
  pass();
  EXPECT_TRUE(bed_.store->remove("alice", 1, id, 0));
  EXPECT_TRUE(bed_.store->refill());
  EXPECT_EQ(counter_.value, 45u) << "a deletion";
  pass();
  bed_.close();
  EXPECT_EQ(counter_.value, 45u) << "a stop without a change";
  EXPECT_EQ(carried(), 45u);
}

TEST_F(StoreWithACounter, AdvancesItAtMostOnceASecond) {
  bed_.open();
  const uint64_t before = counter_.value;
  for (int i = 0; i < 100; ++i) {
    bed_.generate(spec_of(Algorithm::kAes256Gcm));
    EXPECT_TRUE(bed_.store->refill());
    pass(std::chrono::milliseconds(100));
  }
  EXPECT_LE(counter_.value, before + 10);
  EXPECT_GE(counter_.value, before + 9);
  bed_.generate(spec_of(Algorithm::kAes256Gcm));
  const uint64_t at_end = counter_.value;
  bed_.close();
  EXPECT_EQ(counter_.value, at_end + 1) << "a stop never leaves a change without a value";
}

TEST_F(StoreWithACounter, RefusesAnOlderStateOfTheWholeStore) {
  bed_.open();
  new_key();
  bed_.close();
  const auto older = bed_.medium.blobs;
  bed_.open();
  const uint32_t deleted = new_key();
  EXPECT_TRUE(bed_.store->remove("alice", 1, deleted, 0));
  pass();
  bed_.close();
  const auto newest = bed_.medium.blobs;
  bed_.medium.blobs = older;
  const std::string detail = refusal();
  EXPECT_TRUE(contains(detail, "an older state of the whole store was put back")) << detail;
  EXPECT_TRUE(contains(detail, "wvds store migrate --to tpm")) << detail;
  EXPECT_EQ(bed_.medium.blobs, older) << "nothing is changed";
  bed_.medium.blobs = newest;
  bed_.open();
  EXPECT_EQ(bed_.found(1), Status::kSuccess);
}

TEST_F(StoreWithACounter, RefusesAStateFromBeforeADeletionInTheSameRun) {
  bed_.open();
  const uint32_t id = new_key();
  const auto older = bed_.medium.snapshot();
  EXPECT_TRUE(bed_.store->remove("alice", 1, id, 0));
  EXPECT_TRUE(bed_.store->refill());
  bed_.crash();
  bed_.medium.blobs = older;
  EXPECT_TRUE(contains(refusal(), "older state"));
}

TEST_F(StoreWithACounter, RefusesAStoreWithoutAnIndex) {
  bed_.open();
  bed_.close();
  bed_.medium.blobs.erase("index-a");
  bed_.medium.blobs.erase("index-b");
  const std::string detail = refusal();
  EXPECT_TRUE(contains(detail, "index-a: missing") && contains(detail, "rollback counter")) << detail;
}

TEST_F(StoreWithACounter, RefusesACounterThatShowsLessThanTheStore) {
  bed_.open();
  new_key();
  bed_.close();
  counter_.value -= 2;
  const std::string detail = refusal();
  EXPECT_TRUE(contains(detail, "the rollback counter shows only") && contains(detail, "replaced")) << detail;
}

TEST_F(StoreWithACounter, RefusesAnIndexFromBeforeItsHeader) {
  bed_.open();
  new_key();
  bed_.close();
  counter_.bound[0] = std::byte{2};
  EXPECT_TRUE(contains(refusal(), "no value of this counter")) << "of another header";
  // As after wvds store migrate: the header is made anew and takes the counter as it is.
  counter_.first_value = counter_.value;
  const auto before = bed_.medium.blobs;
  bed_.open();
  EXPECT_EQ(counter_.value, counter_.first_value + 1);
  bed_.close();
  bed_.medium.blobs = before;
  EXPECT_TRUE(contains(refusal(), "older state")) << "once, not again";
}

TEST_F(StoreWithACounter, GoesOnAfterACrashBetweenTheIndexAndTheCounter) {
  bed_.open();
  const uint64_t before = counter_.value;
  counter_.failing = true;  // the index is written, the counter not reached
  const uint32_t id = new_key();
  bed_.crash();
  counter_.failing = false;
  EXPECT_EQ(carried(), before + 1);
  EXPECT_EQ(counter_.value, before);
  bed_.open();
  EXPECT_EQ(bed_.found(id), Status::kSuccess);
  EXPECT_EQ(counter_.value, before + 1);
}

TEST_F(StoreWithACounter, ServesOnWhileTheCounterIsGoneAndSaysSo) {
  bed_.open();
  const uint64_t before = counter_.value;
  counter_.failing = true;
  for (int i = 0; i < 5; ++i) new_key();
  EXPECT_TRUE(bed_.warns_of("an older store put back would not be noticed: the counter was made to fail"));
  counter_.failing = false;
  new_key();
  EXPECT_EQ(counter_.value, before + 1) << "one step behind at most";
  EXPECT_FALSE(bed_.warns_of("an older store"));
  new_key();
  EXPECT_EQ(counter_.value, before + 2);
}

TEST_F(StoreWithACounter, DoesNotOpenWhileTheCounterIsGone) {
  bed_.open();
  bed_.close();
  counter_.failing = true;
  EXPECT_TRUE(contains(refusal(), "made to fail"));
  counter_.failing = false;
  bed_.open();
}

TEST_F(StoreWithACounter, IsLeftBehindByAProtectorWithoutOne) {
  bed_.open();
  bed_.close();
  EXPECT_TRUE(carried());
  auto inner = std::make_unique<CountingProtector>(std::move(bed_.protector), counter_);
  struct Plain : Protector {  // as after wvds store migrate --to file
    explicit Plain(std::unique_ptr<Protector> inner) : inner(std::move(inner)) {}
    Place place() const override { return inner->place(); }
    Result<crypto::LockedBytes> create(const crypto::Library& library, std::vector<std::byte>& header) override {
      return inner->create(library, header);
    }
    Result<crypto::LockedBytes> unlock(const crypto::Library& library, Bytes header) override {
      return inner->unlock(library, header);
    }
    std::unique_ptr<Protector> inner;
  };
  bed_.protector = std::make_unique<Plain>(std::move(inner));
  bed_.open();
  bed_.close();
  EXPECT_FALSE(carried());
}

TEST_F(StoreWithACounter, GivesAChangeThatCameTooSoonItsValueLater) {
  std::atomic<int64_t> seconds = 100;
  bed_.options.now = [&] { return platform::TimePoint(std::chrono::seconds(seconds.load())); };
  bed_.options.background = true;
  bed_.options.write_delay = std::chrono::milliseconds(1);
  bed_.open();
  const uint64_t start = counter_.value;
  const size_t written = bed_.medium.changes;
  bed_.generate(spec_of(Algorithm::kAes256Gcm));
  const auto reached = [end = platform::monotonic_now() + std::chrono::minutes(1)](auto&& condition) {
    while (!condition() && platform::monotonic_now() < end) std::this_thread::yield();
    return condition();
  };
  EXPECT_TRUE(reached([&] { return bed_.medium.changes > written + 6; })) << "it tries again by itself";
  EXPECT_EQ(counter_.value, start) << "within the same second";
  seconds += 2;
  EXPECT_TRUE(reached([&] { return counter_.value == start + 1; }));
  bed_.close();
}

}  // namespace
}  // namespace wvds::keystore
