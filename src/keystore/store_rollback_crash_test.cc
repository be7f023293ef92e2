#include <gtest/gtest.h>

#include "keystore/folder_medium.h"
#include "keystore/memory/memory_protector.h"
#include "keystore/testing/fake_counter.h"
#include "keystore/testing/store_world.h"
#include "platform/testing/fake_disk.h"

// A store with a rollback counter over a disk that loses, reorders and tears whatever was not synced. The power goes at
// every step of the disk and of the counter; what is left is never taken for an older store that somebody put back.
namespace wvds::keystore {
namespace {

using platform::SyncPoint;
using platform::testing::after_power_cut;
using platform::testing::FakeDisk;
using platform::testing::FakeVolume;
using platform::testing::Faults;
using testing::CountingProtector;
using testing::FakeCounter;
using testing::first_day;
using testing::Ledger;
using testing::library;
using testing::problem_with;
using testing::run_days;
using testing::second_day;

// World is what survives: the store's folder, and what the counter shows.
struct World {
  FakeVolume store;
  uint64_t counter = 7;
};

// PoweredCounter fails where the disk does: each advance is one of the steps at which the power may go.
struct PoweredCounter : FakeCounter {
  PoweredCounter(World& world, Faults& faults) : world(world), faults(faults) {
    first_value = 7;
    value = world.counter;
  }
  Result<> advance_to(uint64_t wanted) override {
    if (faults.steps++ >= faults.power_off_at) return fail(Status::kStorageError, "no power");
    WVDS_TRY(FakeCounter::advance_to(wanted));
    world.counter = value;
    return {};
  }

  World& world;
  Faults& faults;
};

// Memory protectors open each other's headers only when they are the same one.
std::unique_ptr<Protector> shared_protector() {
  struct Shared : Protector {
    Place place() const override { return one().place(); }
    Result<crypto::LockedBytes> create(const crypto::Library& library, std::vector<std::byte>& header) override {
      return one().create(library, header);
    }
    Result<crypto::LockedBytes> unlock(const crypto::Library& library, Bytes header) override {
      return one().unlock(library, header);
    }
    static Protector& one() {
      static const std::unique_ptr<Protector> protector = make_memory_protector();
      return *protector;
    }
  };
  return std::make_unique<Shared>();
}

StoreOptions options_with_a_quick_clock(platform::TimePoint& now) {
  StoreOptions options = testing::crash_options();
  options.now = [&now] { return now += std::chrono::seconds(1); };  // every change may have a value of its own
  return options;
}

struct Service {
  static Result<std::unique_ptr<Service>> start(World& world, Faults& faults) {
    auto service = std::make_unique<Service>();
    WVDS_ASSIGN(medium, open_folder_medium(std::make_unique<FakeDisk>("store", world.store, faults)));
    service->medium = std::move(medium);
    service->counter = std::make_unique<PoweredCounter>(world, faults);
    service->protector = std::make_unique<CountingProtector>(shared_protector(), *service->counter);
    WVDS_ASSIGN(store, Store::open(*service->medium, *service->protector, library(), testing::crash_config(),
                                   {Principal{.name = "alice", .limits = {}, .grants = {}}},
                                   options_with_a_quick_clock(service->now)));
    service->store = std::move(store);
    return service;
  }

  std::unique_ptr<Medium> medium;
  std::unique_ptr<PoweredCounter> counter;
  std::unique_ptr<Protector> protector;
  platform::TimePoint now{std::chrono::hours(1)};
  std::unique_ptr<Store> store;
};

struct Findings {
  size_t futures = 0;
  size_t violations = 0;
  std::string first;
};

// Up to a violation
Findings power_cuts(std::optional<SyncPoint> ignored) {
  Findings findings;
  for (size_t step = 0;; ++step) {
    World world;
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const Ledger ledger = run_days<Service>(world, faults);
    for (const FakeVolume& store : after_power_cut(world.store, 40, step)) {
      const std::string problem = problem_with<Service>(World{store, world.counter}, ledger);
      ++findings.futures;
      if (!problem.empty() && findings.violations++ == 0)
        findings.first = "step " + std::to_string(step) + ": " + problem;
    }
    if (findings.violations > 0 || faults.steps <= step) return findings;
  }
}

TEST(StoreWithACounterOnALosingDisk, OpensInEveryFuture) {
  const Findings cuts = power_cuts(std::nullopt);
  EXPECT_EQ(cuts.violations, 0u) << cuts.first;
  EXPECT_GT(cuts.futures, 300u) << "the test has shrunk";
}

TEST(StoreWithACounterOnALosingDisk, WouldNotOpenWhereTheIndexIsNotDurableBeforeTheCounter) {
  EXPECT_GT(power_cuts(SyncPoint::kNewName).violations, 0u);
  EXPECT_GT(power_cuts(SyncPoint::kFileContent).violations, 0u);
}

// Every state that was complete once and is older than the last start is refused.
TEST(StoreWithACounterOnALosingDisk, DoesNotOpenInItsPast) {
  World world;
  Faults faults;
  Ledger ledger;
  std::vector<FakeVolume> past;
  for (const auto& day : {first_day, second_day, first_day}) {
    auto service = Service::start(world, faults);
    ASSERT_TRUE(service.has_value()) << service.error().detail;
    past.push_back(world.store);
    ASSERT_TRUE(day(*(*service)->store, ledger));
    past.push_back(world.store);
  }
  EXPECT_EQ(problem_with<Service>(world, ledger), "");
  for (size_t i = 0; i < past.size() - 1; ++i) {
    EXPECT_NE(problem_with<Service>(World{past[i], world.counter}, ledger).find("older state of the whole store"),
              std::string::npos)
        << i;
  }
}

}  // namespace
}  // namespace wvds::keystore
