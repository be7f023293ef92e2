#include "tools/wvds/store/store_access.h"

#include <optional>
#include <utility>

#include "keystore/folder_medium.h"
#include "platform/disk.h"
#include "platform/hardening.h"
#include "service/linux/load_config.h"
#include "service/linux/protectors.h"

namespace wvds::tool {
namespace {

using config::ProtectorKind;
using keystore::Place;
using keystore::Protector;

crypto::FipsMode mode_of(config::Fips mode) {
  switch (mode) {
    case config::Fips::kOff: return crypto::FipsMode::kOff;
    case config::Fips::kPreferred: return crypto::FipsMode::kPreferred;
    case config::Fips::kRequired: break;
  }
  return crypto::FipsMode::kRequired;
}

// Engines serve keys in use, of which there are none here.
crypto::LibraryConfig library_settings(const config::ServiceConfig& config, crypto::FipsMode mode) {
  crypto::LibraryConfig settings;
  settings.fips = mode;
  settings.modules_dir = config.fips.modules_dir;
  settings.fips_config = config.fips.config;
  settings.secure_heap_bytes = config.locked_memory.bytes;
  settings.locked_memory_required = config.locked_memory.mode == config::LockedMemory::kRequired;
  return settings;
}

Outcome<std::unique_ptr<crypto::Library>> load_library(const config::ServiceConfig& config, crypto::FipsMode mode) {
  auto library = crypto::Library::load(library_settings(config, mode));
  if (!library) return failed(library.error().detail);
  return std::move(*library);
}

Outcome<config::ServiceConfig> load_settings(const std::string& path) {
  auto config = service::load_config(path);
  if (config) return std::move(*config);
  const std::string first = config.error().substr(0, config.error().find('\n'));
  return failed(first);
}

std::optional<ProtectorKind> kind_of(Place place) {
  switch (place) {
    case Place::kFile: return ProtectorKind::kFile;
    case Place::kTpm: return ProtectorKind::kTpm;
    case Place::kHsmWrapped: return ProtectorKind::kHsm;
    case Place::kMemory:
    case Place::kHsmInside: break;
  }
  return std::nullopt;
}

}  // namespace

Outcome<std::unique_ptr<StoreAccess>> StoreAccess::open(const std::string& config_path, Access access) {
  TOOL_ASSIGN(config, load_settings(config_path));
  std::unique_ptr<StoreAccess> made(new StoreAccess(std::move(config), config_path));
  const std::string& path = made->settings().path;
  TOOL_TRY(check_owner(path, access == Access::kMake));
  if (const auto hardened = platform::harden_process(); !hardened) return failed(hardened.error().detail);
  const crypto::FipsMode mode = mode_of(made->config_.fips.mode);
  TOOL_ASSIGN(library, load_library(made->config_, mode));
  made->library_ = std::move(library);
  if (mode == crypto::FipsMode::kRequired) {
    TOOL_ASSIGN(opening, load_library(made->config_, crypto::FipsMode::kOff));
    made->opening_ = std::move(opening);
  }
  auto disk = platform::open_disk(path);
  auto medium = access == Access::kLook ? keystore::look_into_folder_medium(std::move(disk))
                                        : keystore::open_folder_medium(std::move(disk));
  if (!medium) return failed(medium.error().detail);
  made->medium_ = std::move(*medium);
  return made;
}

Result<Protector*> StoreAccess::made(ProtectorKind kind) {
  std::unique_ptr<Protector>& kept = made_[kind];
  if (kept == nullptr) {
    WVDS_ASSIGN(protector, service::make_protector(settings(), kind));
    kept = std::move(protector);
  }
  return kept.get();
}

Outcome<Protector*> StoreAccess::protector(ProtectorKind kind) {
  auto found = made(kind);
  if (found) return *found;
  return failed(config_path_ + ": " + found.error().detail);
}

Result<std::vector<Protector*>> StoreAccess::protectors_of(Place place) {
  std::vector<Protector*> out;
  const auto kind = kind_of(place);
  if (!kind) return fail(Status::kUnsupported, "the store is protected in a way that this program does not know");
  auto configured = made(*kind);
  if (configured) out.push_back(*configured);
  if (place == Place::kFile) out.insert(out.end(), further_.begin(), further_.end());
  if (!out.empty()) return out;
  return fail(configured.error().status, std::string("the store is protected by \"") + keystore::place_word(place) +
                                             "\", and " + config_path_ +
                                             " does not say how: " + configured.error().detail);
}

Outcome<keystore::OpenedStore> StoreAccess::open_store() {
  auto opened = keystore::open_store(medium(), opening_library(), [this](Place place) { return protectors_of(place); });
  if (opened) return std::move(*opened);
  if (opened.error().status == Status::kKeyNotFound) return failed("there is no store in " + settings().path);
  return broken(opened.error());
}

std::unexpected<Failure> StoreAccess::broken(const Error& error) const {
  return failed("the store in " + settings().path + ": " + error.detail);
}

}  // namespace wvds::tool
