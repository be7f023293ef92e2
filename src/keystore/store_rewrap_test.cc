#include "keystore/store_rewrap.h"

#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "keystore/memory/memory_protector.h"
#include "keystore/testing/key_world.h"

// A change of the protector over a disk that loses, reorders and tears whatever was not synced, interrupted at every
// step.
namespace wvds::keystore {
namespace {

using platform::SyncPoint;
using platform::testing::after_power_cut;
using testing::choice_of;
using testing::difference_from;
using testing::FakeDisk;
using testing::Faults;
using testing::Findings;
using testing::key_file;
using testing::Keys;
using testing::KeyWorld;
using testing::library;
using testing::medium_of;
using testing::MemoryMedium;
using testing::new_key_world;
using testing::put_secret;
using testing::StoreBed;

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// migrate moves the store from the key file "key" to "other", whichever opens it now.
Result<> migrate(KeyWorld& world, Faults& faults) {
  WVDS_ASSIGN(medium, medium_of(world, faults));
  const auto key = key_file(world, faults, "key"), other = key_file(world, faults, "other");
  WVDS_ASSIGN(opened, open_store(*medium, library(), choice_of({key.get(), other.get()})));
  return rewrap_store(*medium, opened, {.library = library(), .next = *other});
}

// change puts `content` into the key file "key", and gives the store that key.
Result<> change(KeyWorld& world, Faults& faults, std::string_view content) {
  WVDS_ASSIGN(medium, medium_of(world, faults));
  const auto key = key_file(world, faults, "key");
  WVDS_ASSIGN(opened, open_store(*medium, library(), choice_of({key.get()})));
  FakeDisk folder("secrets", world.secrets, faults);
  WVDS_TRY(folder.use_folder());
  return change_secret(
      *medium, opened, library(),
      {.folder = folder, .name = "key", .content = as_bytes(content), .protector = [&](const std::string& name) {
         return key_file(world, faults, name);
       }});
}

const std::string kNewSecret(32, 'n');
const std::string kNewerSecret(32, 'o');

std::vector<KeyWorld> futures_of(const KeyWorld& world, size_t seed) {
  constexpr size_t kStates = 30;
  const auto stores = after_power_cut(world.store, kStates, seed),
             secrets = after_power_cut(world.secrets, kStates, seed);
  std::vector<KeyWorld> out;
  for (const auto& store : stores) {
    for (const auto& one : secrets) out.push_back({store, one});
  }
  return out;
}

// problem_after_migration: the store opens with one of the two, and doing it again leads to the new one.
std::string problem_after_migration(const KeyWorld& future, const Keys& keys) {
  if (!difference_from(future, "key", keys).empty() && !difference_from(future, "other", keys).empty())
    return "opens with neither: " + difference_from(future, "other", keys);
  KeyWorld again = future;
  Faults none;
  if (auto done = migrate(again, none); !done) return "can't be done again: " + done.error().detail;
  std::string problem = difference_from(again, "other", keys);
  if (problem.empty() && difference_from(again, "key", keys).empty()) problem = "still opens with the former";
  return problem;
}

Findings cut_migrations(std::optional<SyncPoint> ignored) {
  Findings findings;
  Keys keys;
  const KeyWorld before = new_key_world(keys);
  for (size_t step = 0;; ++step) {
    KeyWorld world = before;
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const bool done = migrate(world, faults).has_value();
    for (const KeyWorld& future : futures_of(world, step)) {
      findings.add(problem_after_migration(future, keys), step);
      if (done) findings.add(difference_from(future, "other", keys), step);
    }
    if (findings.violations > 0 || faults.steps <= step) return findings;
  }
}

TEST(Migration, InterruptedAnywhereLeavesAStoreThatOpensAndIsFinishedByDoingItAgain) {
  const Findings found = cut_migrations(std::nullopt);
  EXPECT_EQ(found.violations, 0u) << found.first;
  EXPECT_GT(found.futures, 30u) << "the test has shrunk";
}

class EachSyncOfAMigration : public ::testing::TestWithParam<SyncPoint> {};

TEST_P(EachSyncOfAMigration, IsMissedWhenItIsLeftOut) {
  EXPECT_GT(cut_migrations(GetParam()).violations, 0u) << platform::sync_point_name(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, EachSyncOfAMigration, ::testing::Values(SyncPoint::kFileContent, SyncPoint::kNewName));

// A change that was interrupted, and then another one with another secret, interrupted too: whatever is in the file at
// any time opens the store.
Findings cut_changes(std::optional<SyncPoint> ignored) {
  Findings findings;
  Keys keys;
  const KeyWorld before = new_key_world(keys);
  for (size_t step = 0;; ++step) {
    KeyWorld world = before;
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const bool done = change(world, faults, kNewSecret).has_value();
    for (const KeyWorld& future : futures_of(world, step)) {
      findings.add(difference_from(future, "key", keys), step);
      if (!done) continue;
      KeyWorld other = future;
      put_secret(other, "key", kNewSecret);
      findings.add(difference_from(other, "key", keys), step);
    }
    for (size_t second = 0;; ++second) {
      KeyWorld again = world;
      Faults later{.power_off_at = second, .ignored_sync = ignored};
      static_cast<void>(change(again, later, kNewerSecret).has_value());
      const auto futures = futures_of(again, second);
      for (size_t i = 0; i < futures.size(); i += 1 + futures.size() / 8)
        findings.add(difference_from(futures[i], "key", keys), step);
      if (later.steps <= second) break;
    }
    if (findings.violations > 0 || faults.steps <= step) return findings;
  }
}

TEST(ChangeOfASecret, InterruptedAnywhereAndThenAgainLeavesAStoreThatOpensWithWhatIsInTheFile) {
  const Findings found = cut_changes(std::nullopt);
  EXPECT_EQ(found.violations, 0u) << found.first;
  EXPECT_GT(found.futures, 300u) << "the test has shrunk";
}

TEST(ChangeOfASecret, NeedsEachOfItsSyncs) {
  for (const SyncPoint point : {SyncPoint::kFileContent, SyncPoint::kNewName})
    EXPECT_GT(cut_changes(point).violations, 0u) << platform::sync_point_name(point);
}

TEST(ChangeOfASecret, LeavesTheFormerOneUseless) {
  Keys keys;
  KeyWorld world = new_key_world(keys);
  Faults none;
  ASSERT_TRUE(change(world, none, kNewSecret));
  FakeDisk folder("secrets", world.secrets, none);
  EXPECT_EQ(folder.list().value(), std::vector<std::string>{"key"});
  EXPECT_EQ(difference_from(world, "key", keys), "");
  put_secret(world, "key", std::string(32, 'k'));
  EXPECT_TRUE(contains(difference_from(world, "key", keys), "not the key file"));
}

// One step fails, or from one step on the disk is full, and the tool ends with an error.
void expect_survival(const std::function<void(Faults&, size_t)>& arm) {
  Keys keys;
  const KeyWorld before = new_key_world(keys);
  for (size_t step = 0;; ++step) {
    KeyWorld migrated = before, changed = before;
    Faults first, second;
    arm(first, step);
    arm(second, step);
    static_cast<void>(migrate(migrated, first).has_value());
    const bool done = change(changed, second, kNewSecret).has_value();
    for (const KeyWorld& future : futures_of(migrated, step))
      ASSERT_EQ(problem_after_migration(future, keys), "") << "step " << step;
    for (const KeyWorld& future : futures_of(changed, step))
      ASSERT_EQ(difference_from(future, "key", keys), "") << "step " << step;
    if (first.steps <= step && second.steps <= step) {
      EXPECT_TRUE(done);
      return;
    }
  }
}

TEST(ChangeOfTheProtector, SurvivesAnyOneFailingStep) {
  expect_survival([](Faults& faults, size_t step) { faults.fail_at = step; });
}

TEST(ChangeOfTheProtector, SurvivesADiskThatIsFullFromAnyStepOn) {
  expect_survival([](Faults& faults, size_t step) { faults.full_from = step; });
}

// A store in memory, for what does not depend on a disk.
class StoreAtRest : public ::testing::Test, public StoreBed {
 protected:
  void SetUp() override {
    open();
    generate(testing::spec_of(Algorithm::kAes256Gcm));
    close();
  }

  Result<OpenedStore> opened() { return open_store(medium, library(), choice_of({protector.get()})); }
};

TEST_F(StoreAtRest, KeepsEveryRecordAndIndexByteForByte) {
  auto before = medium.blobs;
  const auto next = make_memory_protector();
  ASSERT_TRUE(rewrap_store(medium, *opened(), {.library = library(), .next = *next}));
  for (const std::string_view name : kHeaderNames) {
    EXPECT_NE(medium.blobs.at(std::string(name)), before.at(std::string(name)));
    medium.blobs[std::string(name)] = before.at(std::string(name));
  }
  EXPECT_EQ(medium.blobs, before);
}

TEST_F(StoreAtRest, IsOpenedWithoutAChange) {
  blob("header-a")[60] ^= std::byte{1};
  const auto before = medium.blobs;
  EXPECT_TRUE(opened());
  EXPECT_EQ(medium.blobs, before);
  blob("header-b")[60] ^= std::byte{1};
  const auto refused = opened();
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(contains(refused.error().detail, "header-a") && contains(refused.error().detail, "header-b"));
}

TEST_F(StoreAtRest, ThatIsNotThereIsToldApart) {
  medium.blobs.clear();
  EXPECT_EQ(testing::status_of(opened()), Status::kKeyNotFound);
}

TEST_F(StoreAtRest, SaysWhyNoProtectorIsThere) {
  const auto refused = open_store(medium, library(), [](Place) -> Result<std::vector<Protector*>> {
    return fail(Status::kInvalidArgument, "no section for it");
  });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().detail, "no section for it");
}

// After a migration that was interrupted the newer header opens by one protector, the other by another.
TEST_F(StoreAtRest, OpensByTheOtherHeaderWhereTheNewerOneDoesNot) {
  const auto next = make_memory_protector();
  const auto interrupted = rewrap_store(medium, *opened(), {.library = library(), .next = *next, .between = [] {
                                                              return Result<>(fail(Status::kStorageError, "cut"));
                                                            }});
  ASSERT_FALSE(interrupted);
  EXPECT_EQ(opened().value().header.name, "header-b");
  EXPECT_EQ(open_store(medium, library(), choice_of({next.get()})).value().header.name, "header-a");
  open();
  EXPECT_NE(blob("header-a"), blob("header-b")) << "the service does not undo it";
}

}  // namespace
}  // namespace wvds::keystore
