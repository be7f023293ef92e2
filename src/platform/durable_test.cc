#include "platform/durable.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "platform/testing/fake_disk.h"

namespace wvds::platform {
namespace {

using testing::after_power_cut;
using testing::FakeDisk;
using testing::FakeVolume;
using testing::Faults;

constexpr size_t kStatesPerCut = 200;
constexpr size_t kLimit = 1 << 20;

using Contents = std::map<std::string, std::string>;

std::string text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Contents read_everything(Disk& disk) {
  Contents out;
  const std::vector<std::string> names = disk.list().value();
  for (const std::string& name : names) {
    if (!name.ends_with(kPartialSuffix)) out[name] = text_of(disk.read(name, kLimit).value());
  }
  return out;
}

// What was acknowledged, and what the change that was under way when the power went would have made of it.
struct Acknowledged {
  Contents before;
  Contents after;
};

struct Change {
  std::string name;
  std::string content;  // empty: remove
};

const std::vector<Change> kWorkload{
    {"a", "first content of a"},
    {"b", "first content of b"},
    {"a", "second content of a, which is longer"},
    {"b", ""},
    {"a", ""},
    {"c", "c"},
    {"a", "third content of a"},
};

std::expected<void, DurableError> apply(Disk& disk, const Change& change) {
  if (change.content.empty()) return durable_remove(disk, change.name);
  return durable_replace(disk, change.name, as_bytes(change.content));
}

void apply(Contents& contents, const Change& change) {
  if (change.content.empty()) {
    contents.erase(change.name);
  } else {
    contents[change.name] = change.content;
  }
}

// run works until a step fails.
Acknowledged run(FakeVolume& volume, Faults& faults) {
  FakeDisk disk("folder", volume, faults);
  Acknowledged state;
  if (!open_folder(disk)) return state;
  for (const Change& change : kWorkload) {
    apply(state.after, change);
    if (!apply(disk, change)) return state;
    state.before = state.after;
  }
  return state;
}

bool is_lost_or_torn(FakeVolume volume, const Acknowledged& expected) {
  Faults none;
  FakeDisk disk("folder", volume, none);
  if (!open_folder(disk)) return true;
  const Contents found = read_everything(disk);
  return found != expected.before && found != expected.after;
}

// violations counts the futures in which something acknowledged is not there or something half made is.
size_t violations_of_power_cuts(std::optional<SyncPoint> ignored) {
  size_t found = 0;
  for (size_t step = 0;; ++step) {
    FakeVolume volume;
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const Acknowledged expected = run(volume, faults);
    for (const FakeVolume& future : after_power_cut(volume, kStatesPerCut, step))
      found += is_lost_or_torn(future, expected);
    if (faults.steps <= step) return found;
  }
}

// The process dies first: what the next one shows to somebody must survive a power cut as well.
size_t violations_of_crash_then_power_cut(std::optional<SyncPoint> ignored) {
  size_t found = 0;
  for (size_t step = 0;; ++step) {
    FakeVolume volume;
    Faults first{.power_off_at = step};
    run(volume, first);
    Faults second{.ignored_sync = ignored};
    FakeDisk disk("folder", volume, second);
    EXPECT_TRUE(open_folder(disk));
    const Contents shown = read_everything(disk);
    for (const FakeVolume& future : after_power_cut(volume, kStatesPerCut, step)) {
      found += is_lost_or_torn(future, {shown, shown});
    }
    if (first.steps <= step) return found;
  }
}

TEST(DurableChange, SurvivesAPowerCutAtEveryStepInEveryFuture) {
  EXPECT_EQ(violations_of_power_cuts(std::nullopt), 0u);
  EXPECT_EQ(violations_of_crash_then_power_cut(std::nullopt), 0u);
}

class EachSync : public ::testing::TestWithParam<SyncPoint> {};

TEST_P(EachSync, IsNeeded) {
  EXPECT_GT(violations_of_power_cuts(GetParam()) + violations_of_crash_then_power_cut(GetParam()), 0u)
      << sync_point_name(GetParam());
}

INSTANTIATE_TEST_SUITE_P(DurableChange, EachSync, ::testing::ValuesIn(kSyncPoints));

class OneFailingStep : public ::testing::TestWithParam<size_t> {};

// The fourth change (of b, then of a) meets a failing step; the disk keeps the former content and later changes work.
TEST_P(OneFailingStep, LeavesTheFormerContent) {
  for (const Change& change : {Change{"a", "new"}, Change{"a", ""}}) {
    FakeVolume volume;
    Faults faults;
    FakeDisk disk("folder", volume, faults);
    ASSERT_TRUE(open_folder(disk));
    ASSERT_TRUE(durable_replace(disk, "a", as_bytes("old")));
    faults.fail_at = faults.steps + GetParam();
    const auto changed = apply(disk, change);
    if (changed) {
      EXPECT_LE(faults.steps, faults.fail_at) << "a failing step was not reported";
      continue;
    }
    EXPECT_EQ(changed.error().error.status, Status::kStorageError);
    if (changed.error().outcome == Outcome::kUnknown) continue;
    for (const FakeVolume& future : after_power_cut(volume, kStatesPerCut, 1)) {
      EXPECT_FALSE(is_lost_or_torn(future, {{{"a", "old"}}, {{"a", "old"}}}));
    }
    EXPECT_TRUE(durable_replace(disk, "a", as_bytes("later")));
    EXPECT_EQ(read_everything(disk), (Contents{{"a", "later"}}));
  }
}

INSTANTIATE_TEST_SUITE_P(DurableChange, OneFailingStep, ::testing::Range<size_t>(0, 6));

TEST(DurableChange, SaysThatTheOutcomeIsUnknownOnlyWhenTheLastSyncFailed) {
  FakeVolume volume;
  Faults faults;
  FakeDisk disk("folder", volume, faults);
  ASSERT_TRUE(open_folder(disk));
  faults.failing_sync = SyncPoint::kFileContent;
  EXPECT_EQ(durable_replace(disk, "a", as_bytes("x")).error().outcome, Outcome::kUnchanged);
  faults.failing_sync = SyncPoint::kNewName;
  EXPECT_EQ(durable_replace(disk, "a", as_bytes("x")).error().outcome, Outcome::kUnknown);
  faults.failing_sync = SyncPoint::kRemovedName;
  EXPECT_EQ(durable_remove(disk, "a").error().outcome, Outcome::kUnknown);
}

TEST(DurableChange, LeavesNothingBehindOnAFullDisk) {
  FakeVolume volume;
  Faults faults;
  FakeDisk disk("folder", volume, faults);
  ASSERT_TRUE(open_folder(disk));
  for (size_t later = 0; later < 2; ++later) {
    faults.full_from = faults.steps + later;
    const auto changed = durable_replace(disk, "a", as_bytes("x"));
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().outcome, Outcome::kUnchanged);
    EXPECT_TRUE(disk.list().value().empty());
    faults.full_from = Faults::kNever;
  }
}

TEST(OpenFolder, ClearsAwayWhatACrashLeftHalfWritten) {
  FakeVolume volume;
  Faults faults;
  FakeDisk disk("folder", volume, faults);
  ASSERT_TRUE(open_folder(disk));
  ASSERT_TRUE(disk.create("a.new"));
  ASSERT_TRUE(durable_replace(disk, "b", as_bytes("b")));
  ASSERT_TRUE(open_folder(disk));
  EXPECT_EQ(disk.list().value(), std::vector<std::string>{"b"});
}

TEST(OpenFolder, WorksOnAReadOnlyDiskThatHasContent) {
  FakeVolume volume;
  Faults faults;
  FakeDisk disk("folder", volume, faults);
  ASSERT_TRUE(open_folder(disk));
  ASSERT_TRUE(durable_replace(disk, "b", as_bytes("b")));
  ASSERT_TRUE(disk.create("a.new"));
  faults.read_only = true;
  EXPECT_TRUE(open_folder(disk));
  EXPECT_FALSE(durable_replace(disk, "b", as_bytes("c")));
  EXPECT_EQ(read_everything(disk), (Contents{{"b", "b"}}));
}

}  // namespace
}  // namespace wvds::platform
