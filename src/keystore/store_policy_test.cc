#include <gtest/gtest.h>

#include "keystore/testing/store_bed.h"

// The limits of a key: how often its versions may be used, and its dates.
namespace wvds::keystore {
namespace {

using testing::bytes_of;
using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

constexpr uint64_t kBegin = 1'798'761'600;  // 2027-01-01T00:00:00Z
constexpr uint64_t kEnd = 1'830'297'599;    // 2027-12-31T23:59:59Z
constexpr uint64_t kDay = 86'400;

KeySpec limited(Algorithm algorithm, KeyLimits limits, Lifetime lifetime = Lifetime::kPersistent) {
  KeySpec spec = spec_of(algorithm, lifetime);
  spec.limits = limits;
  return spec;
}

class KeyPolicy : public ::testing::Test, public StoreBed {
 protected:
  KeyPolicy() {
    config.wall_clock = [this]() -> std::optional<platform::WallTime> {
      if (wall_seconds == 0) return std::nullopt;
      return platform::WallTime(std::chrono::seconds(wall_seconds));
    };
  }

  // use takes as many uses as there are, at most `most`; where none is reserved it lets the store reserve.
  uint64_t use(const VersionRef& version, uint64_t most) {
    uint64_t taken = 0;
    while (taken < most) {
      Status status = status_of(version->count_use());
      if (status == Status::kStorageError && store->refill()) status = status_of(version->count_use());
      if (status != Status::kSuccess) return taken;
      ++taken;
    }
    return taken;
  }

  Status made(const KeySpec& spec) { return status_of(store->generate("alice", 1, spec)); }

  uint64_t wall_seconds = kBegin;
};

class EachCountedAlgorithm : public KeyPolicy, public ::testing::WithParamInterface<Algorithm> {};

TEST_P(EachCountedAlgorithm, GivesExactlyItsUsesOverCleanStops) {
  open();
  const uint32_t id = generate(limited(GetParam(), {.max_uses = 10}));
  EXPECT_EQ(active(id)->use_limit(), 10u);
  uint64_t taken = 0;
  for (int start = 0; start < 20; ++start) {
    taken += use(active(id), 1);
    EXPECT_EQ(active(id)->uses(), taken);
    open();
  }
  EXPECT_EQ(taken, 10u);
  EXPECT_EQ(status_of(active(id)->count_use()), Status::kKeyUsedUp);
}

TEST_P(EachCountedAlgorithm, LosesNothingToCrashesBetweenUses) {
  open();
  const uint32_t id = generate(limited(GetParam(), {.max_uses = 10}));
  uint64_t taken = 0;
  for (int start = 0; start < 20; ++start) {
    taken += use(active(id), 1);
    crash();
    open();
  }
  EXPECT_EQ(taken, 10u);
}

// A device that is switched off without warning, day after day, and does not use the key.
TEST_P(EachCountedAlgorithm, LosesNothingToCrashesWithoutUses) {
  open();
  const uint32_t id = generate(limited(GetParam(), {.max_uses = 1000}));
  for (int start = 0; start < 50; ++start) {
    if (start % 2 == 0) active(id);
    generate(spec_of(Algorithm::kAes256Gcm, Lifetime::kVolatile));
    ASSERT_TRUE(store->refill());
    crash();
    open();
  }
  EXPECT_EQ(active(id)->uses(), 0u);
}

TEST_P(EachCountedAlgorithm, NeverGivesMoreThanItsUsesAndLosesAtMostABlockToACrash) {
  open();
  const uint32_t id = generate(limited(GetParam(), {.max_uses = 6400}));
  uint64_t taken = 0, crashes = 0;
  for (uint64_t got = 1; got > 0; taken += got, ++crashes) {
    now += std::chrono::milliseconds(100);
    got = use(active(id), 500);
    crash();
    open();
  }
  EXPECT_LE(taken, 6400u);
  EXPECT_GE(taken + crashes * 100, 6400u);
  EXPECT_EQ(status_of(active(id)->count_use()), Status::kKeyUsedUp);
}

TEST_P(EachCountedAlgorithm, CountsInMemoryWithoutADisk) {
  open();
  for (const Lifetime lifetime : {Lifetime::kSession, Lifetime::kVolatile}) {
    medium.failing = false;
    const auto version = active(generate(limited(GetParam(), {.max_uses = 10}, lifetime)));
    medium.failing = true;
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(version->count_use());
    EXPECT_EQ(status_of(version->count_use()), Status::kKeyUsedUp);
  }
}

TEST_P(EachCountedAlgorithm, WarnsAtThreeQuartersAlsoBeforeTheKeyIsRead) {
  open();
  const uint32_t id = generate(limited(GetParam(), {.max_uses = 100}));
  const std::string warning = "key " + std::to_string(id) + " version 1 has used 75 of its 100 uses: rotate it";
  EXPECT_EQ(use(active(id), 74), 74u);
  EXPECT_FALSE(warns_of("has used"));
  EXPECT_EQ(use(active(id), 1), 1u);
  EXPECT_TRUE(warns_of(warning));
  open();
  const size_t reads = medium.reads;
  EXPECT_TRUE(warns_of(warning));
  const StoreMetrics metrics = store->metrics();
  EXPECT_EQ(metrics.use_levels[2], 1u);
  ASSERT_EQ(metrics.most_used.size(), 1u);
  EXPECT_EQ(metrics.most_used[0].use_limit, 100u);
  EXPECT_EQ(medium.reads, reads);
}

TEST_P(EachCountedAlgorithm, GivesNothingWithoutAnIndex) {
  open();
  const uint32_t id = generate(limited(GetParam(), {.max_uses = 10}));
  close();
  medium.blobs.erase("index-a");
  medium.blobs.erase("index-b");
  open();
  EXPECT_EQ(status_of(active(id)->count_use()), Status::kStorageError) << "nobody knows how often it was used";
}

TEST_P(EachCountedAlgorithm, IsRefusedWhereNothingCanBeReserved) {
  open();
  const auto version = active(generate(limited(GetParam(), {.max_uses = 10})));
  medium.failing = true;
  EXPECT_EQ(use(version, 1), 0u);
  medium.failing = false;
  EXPECT_EQ(use(version, 11), 10u);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, EachCountedAlgorithm,
                         ::testing::Values(Algorithm::kAes256Gcm, Algorithm::kMlDsa44, Algorithm::kMlKem512));

TEST_F(KeyPolicy, ReservesInTheBackgroundWhileARequestWaits) {
  options.background = true;
  options.now = platform::monotonic_now;
  open();
  const auto version = active(generate(limited(Algorithm::kMlDsa44, {.max_uses = 100})));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(version->count_use()) << i;
  EXPECT_EQ(status_of(version->count_use()), Status::kKeyUsedUp);
}

TEST_F(KeyPolicy, TakesTheLowerLimitOfAnAesKey) {
  config.use_limit = 50;
  open();
  const uint32_t low = generate(limited(Algorithm::kAes256Gcm, {.max_uses = 10}));
  const uint32_t high = generate(limited(Algorithm::kAes256Gcm, {.max_uses = 1000}));
  for (int start = 0; start < 2; ++start, open()) {
    EXPECT_EQ(active(low)->use_limit(), 10u);
    EXPECT_EQ(active(high)->use_limit(), 50u);
  }
  EXPECT_EQ(use(active(high), 100), 50u);
  open();
  EXPECT_EQ(status_of(active(high)->count_use()), Status::kKeyUsedUp);
}

TEST_F(KeyPolicy, CountsEachVersionAfresh) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlDsa44, {.max_uses = 3}));
  const auto former = active(id);
  EXPECT_EQ(use(former, 10), 3u);
  ASSERT_TRUE(store->rotate("alice", 1, id));
  EXPECT_EQ(use(active(id), 2), 2u);
  crash();
  open();
  EXPECT_EQ(use(active(id), 10), 1u);
  EXPECT_EQ(find(id)->spec().limits.max_uses, 3u);
  EXPECT_EQ(status_of(find(id)->versions()[1]->count_use()), Status::kWrongKeyUsage) << "a former version gives none";
}

TEST_F(KeyPolicy, EndsTheUsesOfARetiredKeyThatSigns) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlDsa44, {.max_uses = 3}));
  const auto version = active(id);
  ASSERT_TRUE(store->retire("alice", 1, id));
  EXPECT_EQ(status_of(version->count_use()), Status::kWrongKeyUsage);
  open();
  EXPECT_EQ(status_of(find(id)->versions()[0]->count_use()), Status::kWrongKeyUsage);
}

// Retiring a KEM key leaves its decapsulations: without a count, it would take the limit away.
TEST_F(KeyPolicy, CountsTheDecapsulationsOfARetiredKey) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlKem512, {.max_uses = 5}));
  EXPECT_EQ(use(active(id), 2), 2u);
  ASSERT_TRUE(store->retire("alice", 1, id));
  const auto newest = [&] { return find(id)->versions().front(); };
  EXPECT_EQ(use(newest(), 1), 1u);
  open();
  EXPECT_EQ(use(newest(), 1), 1u);
  crash();
  open();
  EXPECT_EQ(use(newest(), 10), 1u);
  EXPECT_EQ(status_of(newest()->count_use()), Status::kKeyUsedUp);
}

TEST_F(KeyPolicy, RefusesALimitThatMeansNothingForTheKey) {
  open();
  KeySpec decrypting = limited(Algorithm::kAes256Gcm, {.max_uses = 5});
  decrypting.usages = static_cast<Usages>(Usage::kDecrypt);
  EXPECT_EQ(made(decrypting), Status::kInvalidPayload);
  KeySpec encapsulating = limited(Algorithm::kMlKem512, {.max_uses = 5});
  encapsulating.usages = static_cast<Usages>(Usage::kEncapsulate);
  EXPECT_EQ(made(encapsulating), Status::kInvalidPayload);
  encapsulating.limits = {.not_after = kEnd};
  EXPECT_EQ(made(encapsulating), Status::kSuccess) << "dates bind every key";
  EXPECT_EQ(made(limited(Algorithm::kMlDsa44, {.max_uses = kMostUses + 1})), Status::kInvalidPayload);
  EXPECT_EQ(made(limited(Algorithm::kMlDsa44, {.not_before = kEnd, .not_after = kBegin})), Status::kInvalidPayload);
}

TEST_F(KeyPolicy, KeepsTheDatesOfEachLifetime) {
  open();
  const KeyLimits dates{.not_before = kBegin, .not_after = kEnd};
  for (const Lifetime lifetime : {Lifetime::kPersistent, Lifetime::kVolatile, Lifetime::kSession}) {
    wall_seconds = kBegin;
    const uint32_t id = generate(limited(Algorithm::kAes256Gcm, dates, lifetime));
    if (lifetime == Lifetime::kPersistent) open();
    const KeyRef key = find(id);
    EXPECT_EQ(key->spec().limits, dates);
    EXPECT_TRUE(key->check_dates(Purpose::kProtect));
    wall_seconds = kBegin - 1;
    EXPECT_EQ(status_of(key->check_dates(Purpose::kProcess)), Status::kKeyNotValid);
    wall_seconds = kEnd + 1;
    EXPECT_EQ(status_of(key->check_dates(Purpose::kProtect)), Status::kKeyNotValid);
    EXPECT_TRUE(key->check_dates(Purpose::kProcess));
    wall_seconds = 0;
    EXPECT_EQ(status_of(key->check_dates(Purpose::kProcess)), Status::kKeyNotValid);
  }
}

TEST_F(KeyPolicy, LooksAtTheClockForKeysWithDatesOnly) {
  int looks = 0;
  config.wall_clock = [&looks]() -> std::optional<platform::WallTime> {
    ++looks;
    return platform::WallTime(std::chrono::seconds(kBegin));
  };
  open();
  const KeyRef plain = find(generate(limited(Algorithm::kAes256Gcm, {.max_uses = 10})));
  EXPECT_TRUE(plain->check_dates(Purpose::kProtect));
  EXPECT_EQ(looks, 0);
  EXPECT_TRUE(find(generate(limited(Algorithm::kAes256Gcm, {.not_after = kEnd})))->check_dates(Purpose::kProtect));
  EXPECT_EQ(looks, 1);
}

TEST_F(KeyPolicy, DoesNotRotateAKeyThatHasEnded) {
  open();
  const uint32_t id = generate(limited(Algorithm::kAes256Gcm, {.not_before = kBegin, .not_after = kEnd}));
  wall_seconds = kBegin - 1;
  EXPECT_TRUE(store->rotate("alice", 1, id)) << "a key may be prepared";
  wall_seconds = kEnd;
  EXPECT_TRUE(store->rotate("alice", 1, id));
  wall_seconds = kEnd + 1;
  EXPECT_EQ(status_of(store->rotate("alice", 1, id)), Status::kKeyNotValid);
  wall_seconds = 0;
  EXPECT_EQ(status_of(store->rotate("alice", 1, id)), Status::kKeyNotValid);
  EXPECT_EQ(find(id)->versions().size(), 3u);
  EXPECT_EQ(find(id)->spec().limits.not_after, kEnd) << "no rotation moves it";
  EXPECT_TRUE(store->retire("alice", 1, id));
  EXPECT_TRUE(store->remove("alice", 1, id, 0));
}

TEST_F(KeyPolicy, WarnsOfAStoredKeysEndUntilItIsRetired) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlDsa44, {.not_after = kEnd}));
  generate(limited(Algorithm::kMlDsa44, {.not_after = kEnd}, Lifetime::kVolatile));
  const std::string key = "key " + std::to_string(id) + " protects nothing new ";
  EXPECT_TRUE(store->warnings().empty());
  wall_seconds = kEnd - 30 * kDay;
  EXPECT_TRUE(warns_of(key + "after 2027-12-31T23:59:59Z"));
  open();
  EXPECT_TRUE(warns_of(key + "after")) << "also before it is read";
  EXPECT_EQ(store->warnings().size(), 1u);
  wall_seconds = kEnd + 1;
  EXPECT_TRUE(warns_of(key + "since 2027-12-31T23:59:59Z"));
  ASSERT_TRUE(store->retire("alice", 1, id));
  EXPECT_TRUE(store->warnings().empty());
  open();
  EXPECT_TRUE(store->warnings().empty());
}

TEST_F(KeyPolicy, WarnsOfKeysThatNeedATimeThatNobodyKnows) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlDsa44, {.not_before = kBegin}));
  wall_seconds = 0;
  EXPECT_TRUE(warns_of("key " + std::to_string(id) + " has dates and can't be used"));
}

TEST_F(KeyPolicy, RefusesARecordWithOtherLimitsThanTheIndexSays) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlDsa44, {.max_uses = 5}));
  close();
  std::vector<std::string> warnings;
  {
    auto files = StoreFiles::open(medium, *protector, testing::library(), warnings).value();
    auto record = files->open_record(id, files->read_record_blob(id).value()).value();
    record.fields.spec.limits.max_uses = 6;
    ASSERT_TRUE(files->write_record(record.fields, record.secrets.expose()));
  }
  open();
  EXPECT_EQ(found(id), Status::kStorageError);
  EXPECT_TRUE(warns_of("other limits"));
}

// What grants give of a key is never more than the key has, and its limits are one for all.
TEST_F(KeyPolicy, BindsThoseWhomTheKeyWasGrantedTo) {
  open();
  const uint32_t id = generate(limited(Algorithm::kMlDsa44, {.max_uses = 4, .not_after = kEnd}));
  principal("bob").grants = {{id, Usage::kSign | Usage::kVerify}};
  open();
  EXPECT_EQ(use(active(id), 3), 3u);
  EXPECT_EQ(use(active(id, "bob"), 10), 1u);
  EXPECT_EQ(status_of(active(id)->count_use()), Status::kKeyUsedUp);
  wall_seconds = kEnd + 1;
  EXPECT_EQ(status_of(find(id, "bob")->check_dates(Purpose::kProtect)), Status::kKeyNotValid);
}

}  // namespace
}  // namespace wvds::keystore
