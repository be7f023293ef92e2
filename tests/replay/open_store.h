#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "keystore/block_medium.h"
#include "keystore/file/file_protector.h"
#include "keystore/store.h"
#include "keystore/testing/test_library.h"

// A key store on the image of a disk, as the service opens it, for the tests that cut the power. Its only principal is
// "storetest".
namespace wvds::test {

inline constexpr const char* kOwner = "storetest";

// fingerprint is the one of l4re/storetest.
inline uint64_t fingerprint(Bytes bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const std::byte byte : bytes) hash = (hash ^ std::to_integer<uint64_t>(byte)) * 0x100000001b3;
  return hash;
}

// describe is a line of l4re/storetest's.
inline std::string describe(const keystore::Key& key) {
  const auto versions = key.versions();
  char line[80];
  std::snprintf(line, sizeof line, "key %u %zu %016llx", key.id(), versions.size(),
                static_cast<unsigned long long>(fingerprint(versions.front()->public_key())));
  return line;
}

struct OpenStore {
  std::unique_ptr<keystore::Medium> medium;
  std::unique_ptr<keystore::Protector> protector;
  std::unique_ptr<keystore::Store> store;
};

// open_store formats a blank device, and makes the store where there is none.
inline Result<std::unique_ptr<OpenStore>> open_store(std::unique_ptr<platform::BlockDevice> device,
                                                     const std::string& key_file) {
  const crypto::Library& library = keystore::testing::library();
  auto opened = std::make_unique<OpenStore>();
  WVDS_ASSIGN(blank, keystore::is_blank_block_device(*device, library));
  if (blank) WVDS_TRY(keystore::format_block_medium(*device, library));
  WVDS_ASSIGN(medium, keystore::open_block_medium(std::move(device), library));
  opened->medium = std::move(medium);
  opened->protector = keystore::make_key_file_protector(keystore::file_name(key_file));
  keystore::StoreOptions options;
  options.background = false;
  WVDS_ASSIGN(store, keystore::Store::open(*opened->medium, *opened->protector, library, keystore::StoreConfig{},
                                           {keystore::Principal{.name = kOwner, .limits = {}, .grants = {}}}, options));
  opened->store = std::move(store);
  return opened;
}

}  // namespace wvds::test
