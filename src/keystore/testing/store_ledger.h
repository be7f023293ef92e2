#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "keystore/store.h"
#include "keystore/testing/store_bed.h"

// What the crash tests of the store have in common: work on a store, a ledger of what was acknowledged, and the
// comparison of the one with the other. The medium below is the test's.
namespace wvds::keystore::testing {

// crash_config and crash_options reserve so little ahead that a short history writes all there is to write.
inline StoreConfig crash_config() {
  StoreConfig config;
  config.use_block = 8;
  return config;
}

inline StoreOptions crash_options() {
  StoreOptions options;
  options.background = false;
  options.stored_id_block = 2;
  options.memory_id_block = 2;
  return options;
}

struct KeyState {
  std::map<uint32_t, std::vector<std::byte>> versions;
  bool retired = false;
  bool operator==(const KeyState&) const = default;
};

inline KeyState state_of(Key& key) {
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

inline bool first_day(Store& store, Ledger& ledger) {
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

inline bool second_day(Store& store, Ledger& ledger) {
  Work work(store, ledger);
  if (ledger.keys.empty()) return true;
  const uint32_t first = ledger.keys.begin()->first;
  if (!work.use(first, 6) || !work.rotate(first) || !work.remove(first, 1) || !work.use(first, 8)) return false;
  return work.generate() && work.use(work.last, 3) && work.refill() && work.use(work.last, 20) && work.remove(first);
}

// difference_from compares a store that was opened after a crash with the ledger, and works on with it; empty when all
// is well. The key whose change was under way is left out.
inline std::string difference_from(const Ledger& ledger, Store& store) {
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

// difference_of_touched: the key whose change was under way is as before or as after the change, or gone if it was
// being deleted; never something else.
inline std::string difference_of_touched(const Ledger& ledger, Store& store) {
  if (!ledger.touched || *ledger.touched == 0) return "";
  const KeyState& before = ledger.keys.at(*ledger.touched);
  auto found = store.find("alice", 1, *ledger.touched);
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

}  // namespace wvds::keystore::testing
