#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "keystore/memory/memory_protector.h"
#include "keystore/store.h"
#include "keystore/testing/memory_medium.h"
#include "keystore/testing/test_library.h"

namespace wvds::keystore::testing {

inline std::vector<std::byte> bytes_of(Bytes bytes) { return {bytes.begin(), bytes.end()}; }

// status_of gives a Result's status, kSuccess for a value.
template <class T>
Status status_of(const Result<T>& result) {
  return result ? Status::kSuccess : result.error().status;
}

inline KeySpec spec_of(Algorithm algorithm, Lifetime lifetime = Lifetime::kPersistent) {
  KeySpec spec;
  spec.algorithm = algorithm;
  spec.lifetime = lifetime;
  spec.usages = algorithm_info(algorithm)->default_usages;
  spec.label = "a label";
  return spec;
}

// StoreBed is a store in memory with two principals, "alice" and "bob", whose clock and background work the test drives
// by hand.
struct StoreBed {
  StoreBed() {
    principals = {Principal{.name = "alice", .limits = {}, .grants = {}},
                  Principal{.name = "bob", .limits = {}, .grants = {}}};
    options.background = false;
    options.now = [this] { return now; };
  }

  Principal& principal(std::string_view name) {
    for (Principal& one : principals) {
      if (one.name == name) return one;
    }
    ADD_FAILURE() << name;
    return principals.front();
  }

  Result<std::unique_ptr<Store>> try_open() {
    return Store::open(medium, *protector, library(), config, principals, options);
  }

  Store& open() {
    close();
    auto opened = try_open();
    EXPECT_TRUE(opened.has_value()) << opened.error().detail;
    store = opened ? std::move(*opened) : nullptr;
    return *store;
  }

  void close() { store.reset(); }

  // crash loses what was only in memory: the medium stays as it is now.
  void crash() {
    const auto blobs = medium.snapshot();
    store.reset();
    medium.blobs = blobs;
  }

  uint32_t generate(const KeySpec& spec, std::string_view owner = "alice", SessionId session = 1) {
    auto key = store->generate(owner, session, spec);
    EXPECT_TRUE(key.has_value()) << key.error().detail;
    return key ? (*key)->id() : 0;
  }

  KeyRef find(uint32_t id, std::string_view principal = "alice", SessionId session = 1) {
    auto found = store->find(principal, session, id);
    EXPECT_TRUE(found.has_value()) << status_name(found.error().status) << " " << found.error().detail;
    return found ? found->key : nullptr;
  }

  Status found(uint32_t id, std::string_view principal = "alice", SessionId session = 1) {
    return status_of(store->find(principal, session, id));
  }

  VersionRef active(uint32_t id, std::string_view principal = "alice") { return find(id, principal)->active().value(); }

  std::vector<std::byte>& blob(const std::string& name) { return medium.blobs.at(name); }

  bool warns_of(std::string_view part) {
    for (const std::string& warning : store->warnings()) {
      if (warning.find(part) != std::string::npos) return true;
    }
    return false;
  }

  MemoryMedium medium;
  std::unique_ptr<Protector> protector = make_memory_protector();
  StoreConfig config;
  std::vector<Principal> principals;
  StoreOptions options;
  platform::TimePoint now{std::chrono::hours(1)};
  std::unique_ptr<Store> store;  // last: it refers to all the others
};

}  // namespace wvds::keystore::testing
