#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "keystore/archive.h"
#include "keystore/file/file_protector.h"
#include "keystore/folder_medium.h"
#include "keystore/store.h"
#include "keystore/testing/store_bed.h"
#include "platform/durable.h"
#include "platform/testing/fake_disk.h"

// A store at rest on a fake disk, and a folder with key files, for what is done to it as a whole.
namespace wvds::keystore::testing {

using platform::testing::FakeDisk;
using platform::testing::FakeVolume;
using platform::testing::Faults;

struct KeyWorld {
  FakeVolume store;
  FakeVolume secrets;
};

inline void put_secret(KeyWorld& world, std::string_view name, std::string_view content) {
  Faults none;
  FakeDisk disk("secrets", world.secrets, none);
  EXPECT_TRUE(platform::open_folder(disk));
  EXPECT_TRUE(platform::durable_replace(disk, name, as_bytes(content)));
}

inline std::unique_ptr<Protector> key_file(KeyWorld& world, Faults& faults, std::string_view name) {
  return make_key_file_protector({std::make_unique<FakeDisk>("secrets", world.secrets, faults), std::string(name)});
}

// choice_of offers the same protectors for every kind.
inline ProtectorChoice choice_of(std::vector<Protector*> protectors) {
  return [protectors = std::move(protectors)](Place) -> Result<std::vector<Protector*>> { return protectors; };
}

inline Result<std::unique_ptr<Medium>> medium_of(KeyWorld& world, Faults& faults) {
  return open_folder_medium(std::make_unique<FakeDisk>("store", world.store, faults));
}

// RunningStore is the service's view.
struct RunningStore {
  static Result<std::unique_ptr<RunningStore>> start(KeyWorld& world, Faults& faults, std::string_view key) {
    auto running = std::make_unique<RunningStore>();
    WVDS_ASSIGN(medium, medium_of(world, faults));
    running->medium = std::move(medium);
    running->protector = key_file(world, faults, key);
    StoreOptions options;
    options.background = false;
    WVDS_ASSIGN(store, Store::open(*running->medium, *running->protector, library(), StoreConfig{},
                                   {Principal{.name = "alice", .limits = {}, .grants = {}}}, std::move(options)));
    running->store = std::move(store);
    return running;
  }

  std::unique_ptr<Medium> medium;
  std::unique_ptr<Protector> protector;
  std::unique_ptr<Store> store;
};

// Keys are what the store holds: the AES key's bytes, and the public key of the other.
struct Keys {
  std::vector<std::byte> aes, kem;
  bool operator==(const Keys&) const = default;
};

inline Result<Keys> keys_in(Store& store) {
  WVDS_ASSIGN(aes, store.find("alice", 1, 1));
  WVDS_ASSIGN(kem, store.find("alice", 1, 2));
  Keys keys;
  keys.aes = bytes_of(aes.key->versions().front()->aes_key());
  keys.kem = bytes_of(kem.key->versions().front()->public_key());
  return keys;
}

// Findings counts the states that were looked at after a cut, and those with a problem.
struct Findings {
  size_t futures = 0;
  size_t violations = 0;
  std::string first;

  void add(const std::string& problem, size_t step) {
    ++futures;
    if (!problem.empty() && violations++ == 0) first = "step " + std::to_string(step) + ": " + problem;
  }
};

// new_key_world has a store with two keys of alice, made with the key file "key".
inline KeyWorld new_key_world(Keys& keys) {
  KeyWorld world;
  Faults none;
  put_secret(world, "key", std::string(32, 'k'));
  auto running = RunningStore::start(world, none, "key");
  EXPECT_TRUE(running.has_value()) << running.error().detail;
  for (const Algorithm algorithm : {Algorithm::kAes256Gcm, Algorithm::kMlKem512})
    EXPECT_TRUE((*running)->store->generate("alice", 1, spec_of(algorithm)));
  keys = keys_in(*(*running)->store).value();
  return world;
}

// difference_from opens the store as the service does; empty when all keys are there.
inline std::string difference_from(KeyWorld world, std::string_view key, const Keys& keys) {
  Faults none;
  auto running = RunningStore::start(world, none, key);
  if (!running) return "does not open: " + running.error().detail;
  auto found = keys_in(*(*running)->store);
  if (!found) return "a key is gone: " + found.error().detail;
  return *found == keys ? "" : "a key is another";
}

}  // namespace wvds::keystore::testing
