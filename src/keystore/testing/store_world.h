#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "keystore/file/file_protector.h"
#include "keystore/folder_medium.h"
#include "keystore/testing/store_ledger.h"
#include "platform/durable.h"
#include "platform/testing/fake_disk.h"

// A whole store over a fake disk, for tests that cut the power.
namespace wvds::keystore::testing {

// World is what survives: the store's folder and the one with the key file.
struct World {
  platform::testing::FakeVolume store;
  platform::testing::FakeVolume secrets;
};

inline World new_world() {
  World world;
  platform::testing::Faults none;
  platform::testing::FakeDisk disk("secrets", world.secrets, none);
  EXPECT_TRUE(platform::open_folder(disk));
  return world;
}

// Service is a running store on a world.
struct Service {
  static Result<std::unique_ptr<Service>> start(World& world, platform::testing::Faults& faults) {
    using platform::testing::FakeDisk;
    auto service = std::make_unique<Service>();
    WVDS_ASSIGN(medium, open_folder_medium(std::make_unique<FakeDisk>("store", world.store, faults)));
    service->medium = std::move(medium);
    service->protector = make_key_file_protector({std::make_unique<FakeDisk>("secrets", world.secrets, faults), "key"});
    WVDS_ASSIGN(store, Store::open(*service->medium, *service->protector, library(), crash_config(),
                                   {Principal{.name = "alice", .limits = {}, .grants = {}}}, crash_options()));
    service->store = std::move(store);
    return service;
  }

  std::unique_ptr<Medium> medium;
  std::unique_ptr<Protector> protector;
  std::unique_ptr<Store> store;
};

// run_days works for two days, with a clean stop between them, as far as the power lasts. AnyService is started on a
// world as Service above is.
template <class AnyService, class AnyWorld>
Ledger run_days(AnyWorld& world, platform::testing::Faults& faults) {
  Ledger ledger;
  for (const auto& day : {first_day, second_day}) {
    auto service = AnyService::start(world, faults);
    if (!service || !day(*(*service)->store, ledger)) break;
  }
  return ledger;
}

// problem_with opens what is left and compares; empty when all is well.
template <class AnyService, class AnyWorld>
std::string problem_with(AnyWorld world, const Ledger& ledger) {
  platform::testing::Faults none;
  auto service = AnyService::start(world, none);
  if (!service) return "does not open: " + service.error().detail;
  return difference_from(ledger, *(*service)->store);
}

}  // namespace wvds::keystore::testing
