#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>

#include "keystore/testing/store_world.h"

// The whole store over a disk that loses, reorders and tears whatever was not synced: the power goes at every step, and
// every state that may be found afterwards is opened and compared with what had been acknowledged.
namespace wvds::keystore {
namespace {

using platform::SyncPoint;
using platform::testing::after_power_cut;
using platform::testing::Faults;
using testing::difference_of_touched;
using testing::Ledger;
using testing::new_world;
using testing::problem_with;
using testing::run_days;
using testing::Service;
using testing::spec_of;
using testing::Work;
using testing::World;

std::string problem_with_touched(World world, const Ledger& ledger) {
  Faults none;
  auto service = Service::start(world, none);
  return service ? difference_of_touched(ledger, *(*service)->store) : "";
}

struct Findings {
  size_t futures = 0;
  size_t violations = 0;
  std::string first;

  void add(const World& world, const Ledger& ledger, size_t step) {
    constexpr size_t kStatesPerCut = 40;
    const auto stores = after_power_cut(world.store, kStatesPerCut, step);
    const auto secrets = after_power_cut(world.secrets, kStatesPerCut, step);
    for (size_t i = 0; i < std::max(stores.size(), secrets.size()); ++i) {
      const World future{stores[i % stores.size()], secrets[i % secrets.size()]};
      std::string problem = problem_with<Service>(future, ledger);
      if (problem.empty()) problem = problem_with_touched(future, ledger);
      ++futures;
      if (problem.empty()) continue;
      if (violations++ == 0) first = "step " + std::to_string(step) + ": " + problem;
    }
  }
};

// Up to a violation
Findings power_cuts(std::optional<SyncPoint> ignored) {
  Findings findings;
  for (size_t step = 0;; ++step) {
    World world = new_world();
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const Ledger ledger = run_days<Service>(world, faults);
    findings.add(world, ledger, step);
    if (findings.violations > 0 || faults.steps <= step) return findings;
  }
}

// The service dies first, its successor works on from what the cache shows, then the power goes.
Findings crashes_then_power_cuts(std::optional<SyncPoint> ignored) {
  Findings findings;
  for (size_t step = 0;; ++step) {
    World world = new_world();
    Faults first{.power_off_at = step};
    Ledger ledger = run_days<Service>(world, first);
    Faults second{.ignored_sync = ignored};
    {
      auto service = Service::start(world, second);
      EXPECT_TRUE(service.has_value()) << service.error().detail;
      if (!service) return findings;
      if (ledger.touched && *ledger.touched != 0) ledger.keys.erase(*ledger.touched);
      ledger.touched.reset();
      Work work(*(*service)->store, ledger);
      EXPECT_TRUE(work.generate());
      second.power_off_at = second.steps;
    }
    findings.add(world, ledger, step);
    if (findings.violations > 0 || first.steps <= step) return findings;
  }
}

TEST(StoreOnALosingDisk, KeepsEveryAcknowledgedChangeInEveryFuture) {
  const Findings cuts = power_cuts(std::nullopt);
  EXPECT_EQ(cuts.violations, 0u) << cuts.first;
  const Findings crashes = crashes_then_power_cuts(std::nullopt);
  EXPECT_EQ(crashes.violations, 0u) << crashes.first;
  EXPECT_GT(cuts.futures + crashes.futures, 500u) << "the test has shrunk";
}

class EachSyncOfTheStore : public ::testing::TestWithParam<SyncPoint> {};

TEST_P(EachSyncOfTheStore, IsMissedWhenItIsLeftOut) {
  Findings findings = power_cuts(GetParam());
  if (findings.violations == 0) findings = crashes_then_power_cuts(GetParam());
  EXPECT_GT(findings.violations, 0u) << platform::sync_point_name(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, EachSyncOfTheStore, ::testing::ValuesIn(platform::kSyncPoints));

// work_on_a_failing_disk makes each kind of change, whatever became of the one before. The ledger has what is certain:
// a change that failed may have happened all the same.
Ledger work_on_a_failing_disk(Store& store) {
  Ledger ledger;
  Work work(store, ledger);
  std::set<uint32_t> uncertain;
  const auto done = [&](bool succeeded) {
    if (ledger.touched) uncertain.insert(*ledger.touched);
    ledger.touched.reset();
    return succeeded;
  };
  for (int i = 0; i < 4; ++i) {
    const bool made = done(work.generate());
    done(work.generate(Lifetime::kVolatile));
    if (!made) continue;
    const uint32_t key = work.last;
    work.use(key, 5);
    work.refill();
    done(work.rotate(key));
    if (i == 1) done(work.retire(key));
    if (i == 2) done(work.remove(key, 1));
    if (i == 3) done(work.remove(key));
  }
  for (const uint32_t key : uncertain) ledger.keys.erase(key);
  return ledger;
}

// One step fails, or from one step on the disk is full; the service goes on and nothing acknowledged suffers.
void expect_survival(const std::function<void(Faults&, size_t)>& arm) {
  size_t deletions = 0;
  for (size_t step = 0; step < 400; ++step) {
    World world = new_world();
    Faults faults;
    arm(faults, step);
    Ledger ledger;
    if (auto service = Service::start(world, faults)) ledger = work_on_a_failing_disk(*(*service)->store);
    deletions += ledger.deleted.size();
    const auto futures = after_power_cut(world.store, 10, step);
    const auto secrets = after_power_cut(world.secrets, 10, step);
    for (size_t i = 0; i < futures.size(); ++i) {
      const std::string problem = problem_with<Service>(World{futures[i], secrets[i % secrets.size()]}, ledger);
      ASSERT_EQ(problem, "") << "step " << step;
    }
    if (faults.steps <= step) break;
  }
  EXPECT_GT(deletions, 0u);
}

TEST(StoreOnAFailingDisk, SurvivesAnyOneFailingStep) {
  expect_survival([](Faults& faults, size_t step) { faults.fail_at = step; });
}

TEST(StoreOnAFailingDisk, SurvivesADiskThatIsFullFromAnyStepOn) {
  expect_survival([](Faults& faults, size_t step) { faults.full_from = step; });
}

TEST(StoreOnAFailingDisk, TakesNoFurtherChangeAfterALastSyncFailed) {
  World world = new_world();
  Faults faults;
  auto service = Service::start(world, faults);
  ASSERT_TRUE(service.has_value());
  Store& store = *(*service)->store;
  ASSERT_TRUE(store.generate("alice", 1, spec_of(Algorithm::kAes256Gcm)));
  faults.failing_sync = SyncPoint::kNewName;
  EXPECT_FALSE(store.generate("alice", 1, spec_of(Algorithm::kAes256Gcm)));
  faults.failing_sync.reset();
  const auto refused = store.generate("alice", 1, spec_of(Algorithm::kAes256Gcm));
  ASSERT_FALSE(refused.has_value());
  EXPECT_NE(refused.error().detail.find("no further changes"), std::string::npos) << refused.error().detail;
  EXPECT_TRUE(store.find("alice", 1, 1)) << "reading goes on";
}

}  // namespace
}  // namespace wvds::keystore
