#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "keystore/testing/store_world.h"

// A key that may be used ten times, over a disk that loses, reorders and tears whatever was not synced: the power goes
// at every step, and from every state that may be found afterwards the key is used to its end. It never gives an
// eleventh use, and it loses at most the one that was reserved when the power went.
namespace wvds::keystore {
namespace {

using platform::SyncPoint;
using platform::testing::after_power_cut;
using platform::testing::Faults;
using testing::new_world;
using testing::Service;
using testing::spec_of;
using testing::World;

constexpr uint64_t kMaxUses = 10;

// History is what was done with the key by somebody who was told that it may be done.
struct History {
  std::optional<uint32_t> id;
  uint64_t done = 0;
};

// use takes up to `most` uses; a worker whose use is not reserved asks for one, as the background would.
uint64_t use(Store& store, uint32_t id, uint64_t most) {
  const auto found = store.find("alice", 1, id);
  if (!found) return 0;
  const auto version = found->key->active();
  if (!version) return 0;
  for (uint64_t taken = 0; taken < most; ++taken) {
    if ((*version)->count_use()) continue;
    if (!store.refill() || !(*version)->count_use()) return taken;
  }
  return most;
}

// One day: some uses, and other things that write the index.
void work(Store& store, History& history, Algorithm algorithm) {
  if (!history.id) {
    KeySpec spec = spec_of(algorithm);
    spec.limits.max_uses = kMaxUses;
    const auto key = store.generate("alice", 1, spec);
    if (!key) return;
    history.id = (*key)->id();
  }
  history.done += use(store, *history.id, 2);
  static_cast<void>(store.generate("alice", 1, spec_of(Algorithm::kAes256Gcm)).has_value());
  history.done += use(store, *history.id, 1);
  static_cast<void>(store.refill().has_value());
}

History run(World& world, Faults& faults, Algorithm algorithm) {
  History history;
  for (int day = 0; day < 2; ++day) {
    auto service = Service::start(world, faults);
    if (!service) break;
    work(*(*service)->store, history, algorithm);
  }
  return history;
}

struct Findings {
  size_t futures = 0;
  uint64_t most = 0;
  uint64_t fewest = UINT64_MAX;

  void add(World future, const History& history) {
    Faults none;
    auto service = Service::start(future, none);
    ++futures;
    if (!service) return;  // store_crash_test has that
    const uint64_t all = history.done + use(*(*service)->store, *history.id, 2 * kMaxUses);
    most = std::max(most, all);
    fewest = std::min(fewest, all);
  }
};

// Up to a use too many
Findings power_cuts(Algorithm algorithm, std::optional<SyncPoint> ignored) {
  constexpr size_t kStatesPerCut = 20;
  Findings findings;
  for (size_t step = 0;; ++step) {
    World world = new_world();
    Faults faults{.power_off_at = step, .ignored_sync = ignored};
    const History history = run(world, faults, algorithm);
    if (history.id) {
      const auto stores = after_power_cut(world.store, kStatesPerCut, step);
      const auto secrets = after_power_cut(world.secrets, kStatesPerCut, step);
      for (size_t i = 0; i < stores.size(); ++i) findings.add({stores[i], secrets[i % secrets.size()]}, history);
    }
    if (findings.most > kMaxUses || faults.steps <= step) return findings;
  }
}

class LimitedKeyOnALosingDisk : public ::testing::TestWithParam<Algorithm> {};

TEST_P(LimitedKeyOnALosingDisk, IsNeverUsedMoreOftenThanItMay) {
  const Findings findings = power_cuts(GetParam(), std::nullopt);
  EXPECT_EQ(findings.most, kMaxUses);
  EXPECT_GE(findings.fewest, kMaxUses - 1);
  EXPECT_GT(findings.futures, 100u) << "the test has shrunk";
}

// Without the sync a use that was done would be forgotten: so the test above can fail.
TEST_P(LimitedKeyOnALosingDisk, WouldBeUsedMoreOftenWithoutTheSyncOfTheIndex) {
  EXPECT_GT(power_cuts(GetParam(), SyncPoint::kNewName).most, kMaxUses);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, LimitedKeyOnALosingDisk,
                         ::testing::Values(Algorithm::kAes256Gcm, Algorithm::kMlDsa44, Algorithm::kMlKem512));

}  // namespace
}  // namespace wvds::keystore
