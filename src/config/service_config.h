#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/algorithm.h"
#include "base/log.h"
#include "config/est_section.h"
#include "config/store_section.h"
#include "config/users.h"

// What config.json says to crypto_service, and in the section "est" to est_service. docs/config.md explains every key;
// the defaults are those below.
namespace wvds::config {

enum class Fips : uint8_t { kOff, kPreferred, kRequired };
enum class LockedMemory : uint8_t { kPreferred, kRequired };
enum class Nonces : uint8_t { kCounter, kRandom };

struct Socket {
  std::string path = "/run/wvds/crypto.sock";
  uint32_t mode = 0660;

  bool operator==(const Socket&) const = default;
};

struct FipsSettings {
  Fips mode = Fips::kPreferred;
  std::string modules_dir;  // empty: where OpenSSL was built to look
  std::string config;       // fipsmodule.cnf; empty: OpenSSL's own place

  bool operator==(const FipsSettings&) const = default;
};

// Engine is a further provider module that serves some algorithms of ML-DSA and ML-KEM. Linux only.
struct Engine {
  std::string module;
  std::vector<Algorithm> algorithms;  // none of them in two engines
  std::string properties;             // OpenSSL's property query

  bool operator==(const Engine&) const = default;
};

struct RateLimit {
  uint32_t requests_per_second = 1000;  // 0: no limit
  uint32_t burst = 100;
  uint32_t cooldown_ms = 100;

  bool operator==(const RateLimit&) const = default;
};

struct ReplayWindow {
  uint32_t capacity = 1'000'000;      // nonces a key version remembers
  uint64_t total_bytes = 256u << 20;  // of all windows together

  bool operator==(const ReplayWindow&) const = default;
};

struct Sessions {
  uint32_t total = 64;
  uint32_t slots = 8;

  bool operator==(const Sessions&) const = default;
};

struct Keys {
  uint64_t use_limit = 1ull << 32;  // encryptions of one AES key version
  uint32_t rotate_at_percent = 0;   // of use_limit; 0: never by itself
  uint32_t expanded_cache = 64;     // expanded ML-DSA and ML-KEM keys kept ready, up to 41 KB of locked memory each

  bool operator==(const Keys&) const = default;
};

struct LockedMemorySettings {
  LockedMemory mode = LockedMemory::kPreferred;
  uint64_t bytes = 4u << 20;  // a power of two

  bool operator==(const LockedMemorySettings&) const = default;
};

// Metrics is the file for a Prometheus collector. Linux only.
struct Metrics {
  std::string file;  // empty: none
  uint32_t interval_s = 15;

  bool operator==(const Metrics&) const = default;
};

// Audit is where the audit log rests. Linux only.
struct Audit {
  std::string folder;  // empty: "audit" in the store's folder
  uint64_t max_bytes = 4u << 20;
  uint32_t files = 16;

  bool operator==(const Audit&) const = default;
};

struct Limits {
  uint32_t sessions = 8;
  uint32_t session_keys = 1024;
  uint32_t volatile_keys = 1024;
  uint32_t persistent_keys = 1024;
  uint32_t keys_per_minute = 6000;
  uint64_t store_bytes = 16u << 20;
  uint64_t window_bytes = 64u << 20;

  bool operator==(const Limits&) const = default;
};

// KeyGrant lets a client use a key of another's.
struct KeyGrant {
  uint32_t id = 0;
  Usages usages = 0;
  std::optional<std::string> context;  // ML-DSA: the only context string that this client may sign under

  bool operator==(const KeyGrant&) const = default;
};

// Client is one principal. Linux: a process is this client when all of uid and gid that are given are its own; where
// several clients fit, the one that names more fits better. L4Re: `label` is the factory capability's name.
struct Client {
  std::string name;
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::string label;
  std::vector<std::string> operations;
  std::vector<KeyGrant> grants;
  Limits limits;
  RateLimit rate_limit;  // the service's own where the client has none

  bool operator==(const Client&) const = default;
};

struct ServiceConfig {
  Socket socket;
  Store store;
  FipsSettings fips;
  std::vector<Engine> engines;
  std::vector<Client> clients;
  RateLimit rate_limit;
  ReplayWindow replay_window;
  Sessions sessions;
  Keys keys;
  Nonces nonces = Nonces::kCounter;
  LockedMemorySettings locked_memory;
  LogLevel log_level = LogLevel::kInfo;
  Metrics metrics;
  Audit audit;
  std::optional<Est> est;  // est_service's part; the rest of the file is crypto_service's

  bool operator==(const ServiceConfig&) const = default;
};

// audit_folder is where the audit log rests.
inline std::string audit_folder(const ServiceConfig& config) {
  return config.audit.folder.empty() ? config.store.path + "/audit" : config.audit.folder;
}

// Vocabulary is what the loader must know of the system around it.
struct Vocabulary {
  std::vector<std::string_view> operations;  // the words of "operations"
  const Users* users = nullptr;              // null: there are no users here, clients are told apart by their label
  bool modules = false;                      // provider modules can be loaded here
  bool tokens = false;                       // a TPM or a PKCS#11 token can be reached
  bool credentials = false;                  // the service manager hands over credentials
  bool files = false;                        // there are files that "metrics" and "audit" can be written to
};

// load_service_config reads config.json's text. The error is everything that is wrong with it, one line each, beginning
// with `file`.
std::expected<ServiceConfig, std::string> load_service_config(const std::string& file, std::string_view text,
                                                              const Vocabulary& vocabulary);

}  // namespace wvds::config
