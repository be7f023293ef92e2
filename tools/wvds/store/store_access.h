#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/service_config.h"
#include "crypto/library.h"
#include "keystore/store_rewrap.h"
#include "tools/wvds/commands.h"

// What the store commands share: they work on the store that a configuration names, while no service uses it.
namespace wvds::tool {

inline constexpr const char* kDefaultConfig = "/etc/wvds/config.json";

// add_config adds --config.
inline void add_config(CLI::App* command, std::string& config) {
  command->add_option("--config", config, "The service's configuration")->capture_default_str();
}

// check_owner refuses a folder that is not there, or is another user's: what this user writes there the service could
// not read. may_be_missing allows the former.
Outcome<> check_owner(const std::string& folder, bool may_be_missing = false);

enum class Access { kLook, kChange, kMake };

// StoreAccess holds the store's folder locked, as the service does, for as long as it lives.
class StoreAccess {
 public:
  // open loads the configuration and the crypto library. kMake makes the folder where it is missing. Nothing else is
  // changed, but what a crash left half-written is cleared away unless it is only looked at.
  static Outcome<std::unique_ptr<StoreAccess>> open(const std::string& config_path, Access access);

  const config::Store& settings() const { return config_.store; }
  const std::string& config_path() const { return config_path_; }
  keystore::Medium& medium() { return *medium_; }

  // library is loaded as the configuration says. opening_library may also open what FIPS would refuse: by it a store is
  // moved to what FIPS allows.
  const crypto::Library& library() const { return *library_; }
  const crypto::Library& opening_library() const { return opening_ ? *opening_ : *library_; }

  // protector gives the configuration's one of a kind; its section must be there.
  Outcome<keystore::Protector*> protector(config::ProtectorKind kind);

  // also_try adds a protector of kind "file" to those that may open the store.
  void also_try(keystore::Protector& protector) { further_.push_back(&protector); }

  Outcome<keystore::OpenedStore> open_store();

  // broken ends a command: what failed, for which store.
  std::unexpected<Failure> broken(const Error& error) const;

 private:
  StoreAccess(config::ServiceConfig config, std::string path)
      : config_(std::move(config)), config_path_(std::move(path)) {}
  Result<std::vector<keystore::Protector*>> protectors_of(keystore::Place place);
  Result<keystore::Protector*> made(config::ProtectorKind kind);

  const config::ServiceConfig config_;
  const std::string config_path_;
  std::unique_ptr<crypto::Library> library_;
  std::unique_ptr<crypto::Library> opening_;
  std::unique_ptr<keystore::Medium> medium_;
  std::map<config::ProtectorKind, std::unique_ptr<keystore::Protector>> made_;
  std::vector<keystore::Protector*> further_;
};

// The commands, a file each or two.
void add_verify_command(CLI::App& store, Tool& tool);
void add_migrate_command(CLI::App& store, Tool& tool);
void add_passphrase_command(CLI::App& store, Tool& tool);
void add_pin_command(CLI::App& store, Tool& tool);
void add_archive_commands(CLI::App& store, Tool& tool);

}  // namespace wvds::tool
