#include <gtest/gtest.h>

#include "keystore/block_medium.h"
#include "keystore/memory/memory_protector.h"
#include "keystore/testing/store_ledger.h"
#include "platform/testing/fake_block_device.h"

// The whole store on raw sectors, over a device that loses, reorders and tears whatever was not flushed.
namespace wvds::keystore {
namespace {

using platform::FlushPoint;
using platform::testing::after_power_cut;
using platform::testing::BlockFaults;
using platform::testing::FakeBlockDevice;
using platform::testing::FakePlatter;
using testing::difference_from;
using testing::difference_of_touched;
using testing::first_day;
using testing::Ledger;
using testing::library;
using testing::second_day;
using testing::Work;

constexpr size_t kSectors = 40 * 8;

FakePlatter formatted() {
  FakePlatter platter(kSectors);
  BlockFaults none;
  FakeBlockDevice device("device", platter, none);
  EXPECT_TRUE(format_block_medium(device, library()));
  return platter;
}

// Service is a running store on a device. All of them have one protector, which is never lost.
struct Service {
  static Result<std::unique_ptr<Service>> start(FakePlatter& platter, BlockFaults& faults) {
    static const std::unique_ptr<Protector> protector = make_memory_protector();
    auto service = std::make_unique<Service>();
    WVDS_ASSIGN(medium, open_block_medium(std::make_unique<FakeBlockDevice>("device", platter, faults), library()));
    service->medium = std::move(medium);
    WVDS_ASSIGN(store, Store::open(*service->medium, *protector, library(), testing::crash_config(),
                                   {Principal{.name = "alice", .limits = {}, .grants = {}}}, testing::crash_options()));
    service->store = std::move(store);
    return service;
  }

  std::unique_ptr<Medium> medium;
  std::unique_ptr<Store> store;
};

Ledger run(FakePlatter& platter, BlockFaults& faults) {
  Ledger ledger;
  for (const auto& day : {first_day, second_day}) {
    auto service = Service::start(platter, faults);
    if (!service || !day(*(*service)->store, ledger)) break;
  }
  return ledger;
}

std::string problem_with(FakePlatter platter, const Ledger& ledger) {
  BlockFaults none;
  std::string problem;
  {
    FakePlatter untouched = platter;
    auto service = Service::start(untouched, none);
    if (!service) return "does not open: " + service.error().detail;
    problem = difference_of_touched(ledger, *(*service)->store);
  }
  auto service = Service::start(platter, none);
  return problem.empty() && service ? difference_from(ledger, *(*service)->store) : problem;
}

struct Findings {
  size_t futures = 0;
  size_t violations = 0;
  std::string first;

  void add(const FakePlatter& platter, const Ledger& ledger, size_t step) {
    constexpr size_t kStatesPerCut = 8;
    for (const FakePlatter& future : after_power_cut(platter, kStatesPerCut, step)) {
      const std::string problem = problem_with(future, ledger);
      ++futures;
      if (problem.empty()) continue;
      if (violations++ == 0) first = "step " + std::to_string(step) + ": " + problem;
    }
  }
};

// Up to a violation
Findings power_cuts(std::optional<FlushPoint> ignored) {
  Findings findings;
  const FakePlatter start = formatted();
  for (size_t step = 0;; ++step) {
    FakePlatter platter = start;
    BlockFaults faults{.power_off_at = step, .seed = step, .ignored_flush = ignored};
    const Ledger ledger = run(platter, faults);
    findings.add(platter, ledger, step);
    if (findings.violations > 0 || faults.steps <= step) return findings;
  }
}

// The service dies first, its successor works on from what the device's cache shows, then the power goes.
Findings crashes_then_power_cuts() {
  Findings findings;
  const FakePlatter start = formatted();
  for (size_t step = 0;; ++step) {
    FakePlatter platter = start;
    BlockFaults first{.power_off_at = step, .seed = step};
    Ledger ledger = run(platter, first);
    BlockFaults second;
    {
      auto service = Service::start(platter, second);
      EXPECT_TRUE(service.has_value()) << service.error().detail;
      if (!service) return findings;
      if (ledger.touched && *ledger.touched != 0) ledger.keys.erase(*ledger.touched);
      ledger.touched.reset();
      Work work(*(*service)->store, ledger);
      EXPECT_TRUE(work.generate());
      second.power_off_at = second.steps;
    }
    findings.add(platter, ledger, step);
    if (first.steps <= step) return findings;
  }
}

TEST(StoreOnRawSectors, KeepsEveryAcknowledgedChangeInEveryFuture) {
  const Findings cuts = power_cuts(std::nullopt);
  EXPECT_EQ(cuts.violations, 0u) << cuts.first;
  const Findings crashes = crashes_then_power_cuts();
  EXPECT_EQ(crashes.violations, 0u) << crashes.first;
  EXPECT_GT(cuts.futures + crashes.futures, 500u) << "the test has shrunk";
}

class EachFlushOfTheStore : public ::testing::TestWithParam<FlushPoint> {};

TEST_P(EachFlushOfTheStore, IsMissedWhenItIsLeftOut) {
  EXPECT_GT(power_cuts(GetParam()).violations, 0u) << platform::flush_point_name(GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, EachFlushOfTheStore, ::testing::Values(FlushPoint::kContent, FlushPoint::kDirectory));

TEST(StoreOnRawSectors, SurvivesAnyOneFailingStep) {
  const FakePlatter start = formatted();
  for (size_t step = 0;; ++step) {
    FakePlatter platter = start;
    BlockFaults faults{.fail_at = step, .seed = step};
    Ledger ledger = run(platter, faults);
    if (faults.steps <= step) return;
    Findings findings;
    findings.add(platter, ledger, step);
    ASSERT_EQ(findings.violations, 0u) << findings.first;
  }
}

TEST(StoreOnRawSectors, SaysThatTheDeviceIsFullAndServesWhatItHas) {
  FakePlatter platter = formatted();
  BlockFaults none;
  auto service = Service::start(platter, none);
  ASSERT_TRUE(service.has_value()) << service.error().detail;
  Store& store = *(*service)->store;
  const KeySpec spec = testing::spec_of(Algorithm::kAes256Gcm);
  uint32_t last = 0;
  for (int i = 0; i < 40; ++i) {
    auto key = store.generate("alice", 1, spec);
    if (!key) {
      EXPECT_EQ(key.error().status, Status::kStorageError);
      EXPECT_NE(key.error().detail.find("no space left on device"), std::string::npos) << key.error().detail;
      break;
    }
    last = (*key)->id();
  }
  ASSERT_GT(last, 20u);
  ASSERT_LT(last, 40u) << "the device was never full";
  EXPECT_TRUE(store.find("alice", 1, last));
  EXPECT_TRUE(store.remove("alice", 1, last, 0)) << "making room needs no room";
  EXPECT_TRUE(store.generate("alice", 1, spec));
}

// As with keys that come in a boot module.
TEST(StoreOnRawSectors, ServesTheKeysOfADeviceThatTakesNoWrite) {
  FakePlatter platter = formatted();
  BlockFaults faults;
  Ledger ledger;
  {
    auto service = Service::start(platter, faults);
    ASSERT_TRUE(service.has_value()) << service.error().detail;
    ASSERT_TRUE(first_day(*(*service)->store, ledger));
  }
  faults.read_only = true;
  auto service = Service::start(platter, faults);
  ASSERT_TRUE(service.has_value()) << service.error().detail;
  Store& store = *(*service)->store;
  for (const auto& [id, state] : ledger.keys) {
    auto found = store.find("alice", 1, id);
    ASSERT_TRUE(found.has_value()) << found.error().detail;
    EXPECT_EQ(testing::state_of(*found->key), state);
  }
  const auto refused = store.generate("alice", 1, testing::spec_of(Algorithm::kAes256Gcm));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kStorageError);
}

}  // namespace
}  // namespace wvds::keystore
