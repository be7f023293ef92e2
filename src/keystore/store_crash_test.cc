#include <gtest/gtest.h>

#include <functional>
#include <optional>

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

// One step fails, or from one step on the disk is full; the service goes on and nothing acknowledged suffers.
void expect_survival(const std::function<void(Faults&, size_t)>& arm) {
  for (size_t step = 0; step < 400; ++step) {
    World world = new_world();
    Faults faults;
    arm(faults, step);
    Ledger ledger;
    {
      auto service = Service::start(world, faults);
      if (service) {
        Work work(*(*service)->store, ledger);
        for (int i = 0; i < 4; ++i) {
          work.generate();
          work.generate(Lifetime::kVolatile);
          if (work.last != 0) {
            work.use(work.last, 5);
            work.refill();
            work.rotate(work.last);
          }
        }
      }
      ledger.touched.reset();
    }
    // What failed may have happened all the same, so only keys that were not touched again are compared as a whole.
    const auto futures = after_power_cut(world.store, 10, step);
    const auto secrets = after_power_cut(world.secrets, 10, step);
    Ledger certain = ledger;
    std::erase_if(certain.keys, [](const auto& key) { return key.second.versions.size() == 1; });
    for (size_t i = 0; i < futures.size(); ++i) {
      const std::string problem = problem_with<Service>(World{futures[i], secrets[i % secrets.size()]}, certain);
      ASSERT_EQ(problem, "") << "step " << step;
    }
    if (faults.steps <= step) return;
  }
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
