#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>

#include "keystore/block_directory.h"
#include "keystore/block_medium.h"
#include "keystore/testing/test_library.h"
#include "platform/testing/fake_block_device.h"

// The block medium over a device that loses, reorders and tears whatever was not flushed: the power goes at every read,
// write and flush, and the states that may be found afterwards are opened and compared with what had been acknowledged.
namespace wvds::keystore {
namespace {

using platform::FlushPoint;
using platform::testing::after_power_cut;
using platform::testing::BlockFaults;
using platform::testing::FakeBlockDevice;
using platform::testing::FakePlatter;
using testing::library;

constexpr size_t kSectorsPerBlock = kBlockSize / platform::kSectorSize;
constexpr size_t kSmallDevice = kMinBlocks * kSectorsPerBlock;
constexpr uint64_t kSeeds = 3;

using Blob = std::vector<std::byte>;
using Contents = std::map<std::string, Blob>;

struct Change {
  std::string name;
  std::optional<size_t> size;  // none: remove
  uint8_t fill = 0;
};

// The device has 14 blocks for blobs, so that the blocks of former blobs are soon used again.
const std::vector<Change> kHistory{
    {"index-a", 5000, 1},     {"k-00000001", 150, 2}, {"index-a", 9000, 3},  {"k-00000002", 0, 4},
    {"k-00000001", 12000, 5}, {"index-a", 4096, 6},   {"k-00000002", {}, 0}, {"k-00000003", 8192, 7},
    {"k-00000001", {}, 0},    {"index-a", 16000, 8},  {"k-00000003", 1, 9},
};

std::unique_ptr<Medium> opened(FakePlatter& platter, BlockFaults& faults) {
  auto medium = open_block_medium(std::make_unique<FakeBlockDevice>("device", platter, faults), library());
  return medium ? std::move(*medium) : nullptr;
}

Result<> apply(Medium& medium, const Change& change) {
  if (!change.size) return medium.remove(change.name);
  return medium.replace(change.name, Blob(*change.size, std::byte{change.fill}));
}

void apply(Contents& contents, const Change& change) {
  if (change.size) {
    contents[change.name] = Blob(*change.size, std::byte{change.fill});
  } else {
    contents.erase(change.name);
  }
}

// contents_of is empty when something that is listed can't be read.
std::optional<Contents> contents_of(Medium& medium) {
  Contents out;
  const auto names = medium.list();
  if (!names) return std::nullopt;
  for (const std::string& name : *names) {
    auto blob = medium.read(name);
    if (!blob) return std::nullopt;
    out[name] = std::move(*blob);
  }
  return out;
}

// Told is what the medium's user was told: what there is, and what the change under way would have made of it.
struct Told {
  bool formatted = false;
  Contents before;
  Contents after;
};

// make_ready formats a device that is blank, and tells whether it did.
Result<bool> make_ready(FakePlatter& platter, BlockFaults& faults) {
  FakeBlockDevice device("device", platter, faults);
  WVDS_ASSIGN(blank, is_blank_block_device(device, library()));
  if (blank) WVDS_TRY(format_block_medium(device, library()));
  return blank;
}

// run works on the history until something fails. Who opens a medium is told what is there.
Told run(FakePlatter& platter, BlockFaults& faults, const std::vector<Change>& history, Told told = {}) {
  if (!told.formatted) {
    const auto ready = make_ready(platter, faults);
    if (!ready) return told;
    told.formatted = *ready;
  }
  const auto medium = opened(platter, faults);
  if (!medium) return told;
  told.formatted = true;
  const auto shown = contents_of(*medium);
  if (!shown) return told;
  told.before = told.after = *shown;
  for (const Change& change : history) {
    apply(told.after, change);
    if (!apply(*medium, change)) return told;
    told.before = told.after;
  }
  return told;
}

// problem_with opens what is left, compares, and makes one more change; empty when all is well.
std::string problem_with(FakePlatter platter, const Told& told) {
  BlockFaults none;
  if (!told.formatted) {
    if (auto ready = make_ready(platter, none); !ready) return "can't be formatted: " + ready.error().detail;
  }
  {
    auto medium = open_block_medium(std::make_unique<FakeBlockDevice>("device", platter, none), library());
    if (!medium) return "does not open: " + medium.error().detail;
    const auto found = contents_of(**medium);
    if (!found) return "a blob can't be read";
    if (*found != told.before && *found != told.after) return "something is lost, half made or came back";
    if (auto more = (*medium)->replace("more", Blob(100)); !more) return "takes no change: " + more.error().detail;
  }
  const auto again = opened(platter, none);
  if (!again) return "does not open a second time";
  const auto more = again->read("more");
  return more && *more == Blob(100) ? "" : "lost a change after it was opened";
}

struct Findings {
  size_t states_per_cut = 10;
  size_t futures = 0;
  size_t violations = 0;
  std::string first;

  void add(const FakePlatter& platter, const Told& told, size_t step, uint64_t seed) {
    for (const FakePlatter& future : after_power_cut(platter, states_per_cut, step * 1000 + seed)) {
      const std::string problem = problem_with(future, told);
      ++futures;
      if (problem.empty()) continue;
      if (violations++ == 0) first = "step " + std::to_string(step) + ": " + problem;
    }
  }
};

// power_cuts turns the power off at every step of a history that begins on `start`, up to a violation.
void power_cuts(const FakePlatter& start, const Told& known, const std::vector<Change>& history,
                std::optional<FlushPoint> ignored, uint64_t seed, Findings& findings) {
  for (size_t step = 0;; ++step) {
    FakePlatter platter = start;
    BlockFaults faults{.power_off_at = step, .seed = seed, .ignored_flush = ignored};
    const Told told = run(platter, faults, history, known);
    findings.add(platter, told, step, seed);
    if (findings.violations > 0 || faults.steps <= step) return;
  }
}

Findings first_cuts(std::optional<FlushPoint> ignored) {
  Findings findings;
  for (uint64_t seed = 0; seed < kSeeds; ++seed)
    power_cuts(FakePlatter(kSmallDevice), {}, kHistory, ignored, seed, findings);
  return findings;
}

// The service dies at every step, or the power goes for a first time. What its successor shows must survive a power cut
// at any of the successor's own steps: while it puts the directory right, and while it makes a change.
Findings second_cuts(std::optional<FlushPoint> ignored) {
  Findings findings;
  const std::vector<Change> one_more{{"index-a", 6000, 77}};
  for (size_t step = 0;; ++step) {
    FakePlatter platter(kSmallDevice);
    BlockFaults first{.power_off_at = step, .seed = step};
    const Told told = run(platter, first, kHistory);
    std::vector<FakePlatter> starts = after_power_cut(platter, 4, step);
    starts.push_back(platter);
    for (const FakePlatter& start : starts) power_cuts(start, told, one_more, ignored, step, findings);
    if (findings.violations > 0 || first.steps <= step) return findings;
  }
}

// A power cut tore the first copy while it was being written: all of it is there, but one sector can't be read. So the
// change is not made, the blocks it wrote are free, and the first copy must never become whole again.
Findings cuts_after_a_torn_first_copy(std::optional<FlushPoint> ignored) {
  FakePlatter platter(kSmallDevice);
  BlockFaults none;
  Told told = run(platter, none, {{"index-a", 5000, 1}, {"k-00000001", 150, 2}});
  const std::vector<platform::testing::FakeSector> former = platter.cached;
  told.after = run(platter, none, {{"index-a", 9000, 3}}, told).after;
  const auto second_copy = static_cast<std::ptrdiff_t>(kSectorsPerBlock);
  std::copy_n(former.begin() + second_copy, kSectorsPerBlock, platter.cached.begin() + second_copy);
  platter.cached[3].reset();
  platter.durable = platter.cached;
  platter.unflushed.clear();
  Findings findings;
  findings.states_per_cut = 200;
  for (uint64_t seed = 0; seed < 2 * kSeeds; ++seed)
    power_cuts(platter, told, {{"k-00000002", 12000, 4}}, ignored, seed, findings);
  return findings;
}

TEST(BlockMediumOnALosingDevice, KeepsEveryAcknowledgedChangeInEveryFuture) {
  const Findings findings = first_cuts(std::nullopt);
  EXPECT_EQ(findings.violations, 0u) << findings.first;
  EXPECT_GT(findings.futures, 1000u) << "the test has shrunk";
}

TEST(BlockMediumOnALosingDevice, KeepsWhatASuccessorShowsInEveryFuture) {
  const Findings findings = second_cuts(std::nullopt);
  EXPECT_EQ(findings.violations, 0u) << findings.first;
  EXPECT_GT(findings.futures, 1000u) << "the test has shrunk";
}

TEST(BlockMediumOnALosingDevice, NeverMakesATornDirectoryWholeAgain) {
  const Findings findings = cuts_after_a_torn_first_copy(std::nullopt);
  EXPECT_EQ(findings.violations, 0u) << findings.first;
  EXPECT_GT(findings.futures, 1000u) << "the test has shrunk";
}

class EachFlush : public ::testing::TestWithParam<FlushPoint> {};

TEST_P(EachFlush, IsMissedWhenItIsLeftOut) {
  Findings findings = first_cuts(GetParam());
  if (findings.violations == 0) findings = second_cuts(GetParam());
  if (findings.violations == 0) findings = cuts_after_a_torn_first_copy(GetParam());
  EXPECT_GT(findings.violations, 0u) << platform::flush_point_name(GetParam());
}

INSTANTIATE_TEST_SUITE_P(BlockMedium, EachFlush, ::testing::ValuesIn(platform::kFlushPoints));

// A directory of several blocks, none of which is written in one piece.
TEST(BlockMediumOnALosingDevice, KeepsALongDirectoryInEveryFuture) {
  FakePlatter platter(256 * kSectorsPerBlock);
  std::vector<Change> many;
  for (int i = 100; i < 300; ++i) many.push_back({"a-rather-long-name-for-blob-" + std::to_string(i), 10, 1});
  BlockFaults none;
  const Told told = run(platter, none, many);
  ASSERT_EQ(told.before.size(), 200u);
  Findings findings;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    power_cuts(platter, told, {{many[150].name, 5000, 2}, {many[3].name, {}, 0}}, std::nullopt, seed, findings);
  }
  EXPECT_EQ(findings.violations, 0u) << findings.first;
}

// run_on works on the whole history whatever fails. After a failed change its user knows that nothing was changed,
// unless every further change is refused.
struct Outcome {
  Told told;
  bool opened = false;
  bool refused_from_then_on = false;
};

Outcome run_on(FakePlatter& platter, BlockFaults& faults) {
  Outcome out;
  out.told.formatted = true;
  std::unique_ptr<Medium> medium = opened(platter, faults);
  if (!medium) return out;
  out.opened = true;
  for (const Change& change : kHistory) {
    Contents after = out.told.before;
    apply(after, change);
    if (apply(*medium, change)) {
      EXPECT_FALSE(out.refused_from_then_on) << "a change was taken after one was refused for good";
      out.told.before = out.told.after = after;
      continue;
    }
    if (out.refused_from_then_on) continue;
    const auto again = medium->remove("nothing");
    out.refused_from_then_on = !again.has_value();
    if (out.refused_from_then_on) out.told.after = std::move(after);
  }
  faults.fail_at = BlockFaults::kNever;
  const auto shown = contents_of(*medium);
  EXPECT_TRUE(shown && *shown == out.told.before) << "shows what was not acknowledged";
  return out;
}

FakePlatter formatted() {
  FakePlatter platter(kSmallDevice);
  BlockFaults none;
  FakeBlockDevice device("device", platter, none);
  EXPECT_TRUE(format_block_medium(device, library()));
  return platter;
}

TEST(BlockMediumOnAFailingDevice, SurvivesAnyOneFailingStepAndAPowerCutAfterIt) {
  const FakePlatter start = formatted();
  size_t refused = 0, went_on = 0;
  for (const bool drops : {false, true}) {
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      for (size_t step = 0;; ++step) {
        FakePlatter platter = start;
        BlockFaults faults{.fail_at = step, .failing_flush_drops = drops, .seed = seed};
        const Outcome outcome = run_on(platter, faults);
        if (faults.steps <= step) break;
        outcome.refused_from_then_on ? ++refused : ++went_on;
        Findings findings;
        findings.add(platter, outcome.told, step, seed);
        ASSERT_EQ(findings.violations, 0u) << findings.first;
      }
    }
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(went_on, refused) << "only a directory that could not be written ends all changes";
}

// After the failing step the power goes at any later one.
TEST(BlockMediumOnAFailingDevice, BuildsNothingOnWhatAFailedFlushMayHaveDropped) {
  const FakePlatter start = formatted();
  for (size_t failing = 0;; ++failing) {
    size_t last = 0;
    for (size_t off = failing + 1; off < failing + 14; ++off) {
      FakePlatter platter = start;
      BlockFaults faults{.power_off_at = off, .fail_at = failing, .seed = off};
      Told told{.formatted = true, .before = {}, .after = {}};
      std::unique_ptr<Medium> medium = opened(platter, faults);
      for (size_t i = 0; medium && i < kHistory.size(); ++i) {
        Contents after = told.before;
        apply(after, kHistory[i]);
        const bool done = apply(*medium, kHistory[i]).has_value();
        if (done) told.before = after;
        told.after = std::move(after);
        if (!done && (faults.power_is_off() || !medium->remove("nothing"))) break;
      }
      last = faults.steps;
      Findings findings;
      findings.add(platter, told, off, failing);
      ASSERT_EQ(findings.violations, 0u) << "failing " << failing << ", " << findings.first;
    }
    if (last <= failing) return;
  }
}

TEST(BlockMediumOnAFailingDevice, SurvivesADeviceThatTakesNoWriteFromAnyStepOn) {
  const FakePlatter start = formatted();
  for (size_t step = 0;; ++step) {
    FakePlatter platter = start;
    BlockFaults faults{.full_from = step};
    const Outcome outcome = run_on(platter, faults);
    EXPECT_TRUE(outcome.opened) << "reading needs no write";
    Findings findings;
    findings.add(platter, outcome.told, step, 0);
    ASSERT_EQ(findings.violations, 0u) << findings.first;
    if (faults.steps <= step) return;
  }
}

}  // namespace
}  // namespace wvds::keystore
