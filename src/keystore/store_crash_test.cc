#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "keystore/file/file_protector.h"
#include "keystore/folder_medium.h"
#include "keystore/store.h"
#include "keystore/testing/store_bed.h"
#include "platform/durable.h"
#include "platform/testing/fake_disk.h"

// The whole store over a disk that loses, reorders and tears whatever was not synced: the power goes at every step, and
// every state that may be found afterwards is opened and compared with what had been acknowledged.
namespace wvds::keystore {
namespace {

using platform::SyncPoint;
using platform::testing::after_power_cut;
using platform::testing::FakeDisk;
using platform::testing::FakeVolume;
using platform::testing::Faults;
using testing::bytes_of;
using testing::library;
using testing::spec_of;

// World is what survives: the store's folder and the one with the key file.
struct World {
  FakeVolume store;
  FakeVolume secrets;
};

World new_world() {
  World world;
  Faults none;
  FakeDisk disk("secrets", world.secrets, none);
  EXPECT_TRUE(platform::open_folder(disk));
  return world;
}

// Service is a running store on a world.
struct Service {
  static Result<std::unique_ptr<Service>> start(World& world, Faults& faults) {
    auto service = std::make_unique<Service>();
    WVDS_ASSIGN(medium, open_folder_medium(std::make_unique<FakeDisk>("store", world.store, faults)));
    service->medium = std::move(medium);
    service->protector = make_key_file_protector({std::make_unique<FakeDisk>("secrets", world.secrets, faults), "key"});
    StoreConfig config;
    config.use_block = 8;
    StoreOptions options;
    options.background = false;
    options.stored_id_block = 2;
    options.memory_id_block = 2;
    WVDS_ASSIGN(store, Store::open(*service->medium, *service->protector, library(), config,
                                   {Principal{.name = "alice", .limits = {}, .grants = {}}}, options));
    service->store = std::move(store);
    return service;
  }

  std::unique_ptr<Medium> medium;
  std::unique_ptr<Protector> protector;
  std::unique_ptr<Store> store;
};

struct KeyState {
  std::map<uint32_t, std::vector<std::byte>> versions;
  bool retired = false;
  bool operator==(const KeyState&) const = default;
};

KeyState state_of(Key& key) {
  KeyState state;
  for (const auto& version : key.versions()) state.versions[version->number()] = bytes_of(version->aes_key());
  state.retired = !key.active();
  return state;
}

// Ledger is what the clients of the store were told.
struct Ledger {
  std::map<uint32_t, KeyState> keys;
  std::set<uint32_t> deleted;
  std::set<uint32_t> issued;  // ids of all lifetimes
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> uses;
  std::optional<uint32_t> touched;  // the key whose change was under way; 0: a new one
};

// Work drives a store and keeps the ledger; every function returns false when the store failed.
class Work {
 public:
  Work(Store& store, Ledger& ledger) : store_(store), ledger_(ledger) {}

  bool generate(Lifetime lifetime = Lifetime::kPersistent) {
    ledger_.touched = 0;
    auto key = store_.generate("alice", 1, spec_of(Algorithm::kAes256Gcm, lifetime));
    if (!key) return false;
    ledger_.touched.reset();
    EXPECT_TRUE(ledger_.issued.insert((*key)->id()).second) << "an id was used again: " << (*key)->id();
    if (lifetime == Lifetime::kPersistent) ledger_.keys[last = (*key)->id()] = state_of(**key);
    return true;
  }

  bool change(uint32_t id, const std::function<bool()>& act) {
    ledger_.touched = id;
    if (!act()) return false;
    ledger_.touched.reset();
    auto found = store_.find("alice", 1, id);
    if (found) {
      ledger_.keys[id] = state_of(*found->key);
    } else {
      ledger_.keys.erase(id);
      ledger_.deleted.insert(id);
    }
    return true;
  }

  bool rotate(uint32_t id) {
    return change(id, [&] { return store_.rotate("alice", 1, id).has_value(); });
  }
  bool retire(uint32_t id) {
    return change(id, [&] { return store_.retire("alice", 1, id).has_value(); });
  }
  bool remove(uint32_t id, uint32_t version = 0) {
    return change(id, [&] { return store_.remove("alice", 1, id, version).has_value(); });
  }

  // use encrypts up to `times` times: fewer when nothing more is reserved.
  bool use(uint32_t id, int times) {
    auto found = store_.find("alice", 1, id);
    if (!found) return false;
    const auto version = found->key->active();
    if (!version) return false;
    for (int i = 0; i < times; ++i) {
      if ((*version)->count_use()) ++ledger_.uses[{id, (*version)->number()}];
    }
    return true;
  }

  bool refill() { return store_.refill().has_value(); }

  uint32_t last = 0;

 private:
  Store& store_;
  Ledger& ledger_;
};

bool first_day(Store& store, Ledger& ledger) {
  Work work(store, ledger);
  if (!work.generate() || !work.use(work.last, 5)) return false;
  const uint32_t first = work.last;
  if (!work.generate() || !work.generate(Lifetime::kVolatile) || !work.rotate(first) || !work.use(first, 7))
    return false;
  const uint32_t second = work.last;
  if (!work.refill() || !work.use(first, 9) || !work.remove(second)) return false;
  return work.generate() && work.retire(work.last) && work.generate(Lifetime::kSession) &&
         work.generate(Lifetime::kVolatile);
}

bool second_day(Store& store, Ledger& ledger) {
  Work work(store, ledger);
  if (ledger.keys.empty()) return true;
  const uint32_t first = ledger.keys.begin()->first;
  if (!work.use(first, 6) || !work.rotate(first) || !work.remove(first, 1) || !work.use(first, 8)) return false;
  return work.generate() && work.use(work.last, 3) && work.refill() && work.use(work.last, 20) && work.remove(first);
}

// run works for two days, with a clean stop between them, as far as the power lasts.
Ledger run(World& world, Faults& faults) {
  Ledger ledger;
  for (const auto& day : {first_day, second_day}) {
    auto service = Service::start(world, faults);
    if (!service || !day(*(*service)->store, ledger)) break;
  }
  return ledger;
}

// problem_with opens what is left and compares; empty when all is well.
std::string problem_with(World world, const Ledger& ledger) {
  Faults none;
  auto service = Service::start(world, none);
  if (!service) return "does not open: " + service.error().detail;
  Store& store = *(*service)->store;
  for (const auto& [id, state] : ledger.keys) {
    auto found = store.find("alice", 1, id);
    if (ledger.touched == id) continue;
    if (!found) return "key " + std::to_string(id) + " is gone: " + found.error().detail;
    if (state_of(*found->key) != state) return "key " + std::to_string(id) + " is another";
    for (const auto& version : found->key->versions()) {
      const auto uses = ledger.uses.find({id, version->number()});
      if (uses != ledger.uses.end() && version->uses() < uses->second)
        return "uses of key " + std::to_string(id) + " were forgotten";
    }
  }
  for (const uint32_t id : ledger.deleted) {
    if (store.find("alice", 1, id)) return "key " + std::to_string(id) + " came back";
  }
  if (!store.warnings().empty()) return "half-made: " + store.warnings().front();
  for (const Lifetime lifetime : {Lifetime::kPersistent, Lifetime::kVolatile}) {
    for (int i = 0; i < 3; ++i) {
      auto key = store.generate("alice", 1, spec_of(Algorithm::kAes256Gcm, lifetime));
      if (!key) return "makes no more keys: " + key.error().detail;
      if (ledger.issued.contains((*key)->id())) return "id " + std::to_string((*key)->id()) + " was used again";
    }
  }
  return "";
}

// The key whose change was under way is as before or as after the change, or gone if it was being deleted; never
// something else.
std::string problem_with_touched(World world, const Ledger& ledger) {
  if (!ledger.touched || *ledger.touched == 0) return "";
  Faults none;
  auto service = Service::start(world, none);
  if (!service) return "";
  const KeyState& before = ledger.keys.at(*ledger.touched);
  auto found = (*service)->store->find("alice", 1, *ledger.touched);
  if (!found) return found.error().status == Status::kKeyNotFound ? "" : found.error().detail;
  const KeyState after = state_of(*found->key);
  size_t shared = 0;
  for (const auto& [number, secret] : after.versions) {
    const auto known = before.versions.find(number);
    if (known != before.versions.end() && known->second != secret) return "a version changed its secret";
    shared += known != before.versions.end();
  }
  const size_t added = after.versions.size() - shared, removed = before.versions.size() - shared;
  return added + removed <= 1 ? "" : "more than one change at once";
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
      std::string problem = problem_with(future, ledger);
      if (problem.empty()) problem = problem_with_touched(future, ledger);
      ++futures;
      if (problem.empty()) continue;
      if (violations++ == 0) first = "step " + std::to_string(step) + ": " + problem;
    }
  }
};

Findings power_cuts(std::optional<SyncPoint> ignored) {
  Findings findings;
  for (size_t step = 0;; ++step) {
    World world = new_world();
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const Ledger ledger = run(world, faults);
    findings.add(world, ledger, step);
    if (faults.steps <= step) return findings;
  }
}

// The service dies first, its successor works on from what the cache shows, then the power goes.
Findings crashes_then_power_cuts(std::optional<SyncPoint> ignored) {
  Findings findings;
  for (size_t step = 0;; ++step) {
    World world = new_world();
    Faults first{.power_off_at = step};
    Ledger ledger = run(world, first);
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
    if (first.steps <= step) return findings;
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
  const Findings cuts = power_cuts(GetParam());
  const Findings crashes = crashes_then_power_cuts(GetParam());
  EXPECT_GT(cuts.violations + crashes.violations, 0u) << platform::sync_point_name(GetParam());
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
      const std::string problem = problem_with({futures[i], secrets[i % secrets.size()]}, certain);
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
