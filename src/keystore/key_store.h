#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keystore/audit_head.h"
#include "keystore/key.h"
#include "keystore/medium.h"
#include "keystore/protector.h"
#include "platform/clock.h"
#include "platform/wall_clock.h"

namespace wvds::keystore {

// PrincipalLimits bound what one principal may hold; at a limit: kLimitReached, never an eviction of another's.
struct PrincipalLimits {
  uint32_t persistent_keys = 1024;
  uint32_t volatile_keys = 1024;
  uint32_t session_keys = 1024;  // over all its sessions
  uint32_t keys_per_minute = 6000;
  uint64_t store_bytes = 16 << 20;
  uint64_t window_bytes = 64 << 20;
};

// Grant lets another principal use a key of this one's.
struct Grant {
  uint32_t key_id = 0;
  Usages usages = 0;
};

struct Principal {
  std::string name;
  PrincipalLimits limits;
  std::vector<Grant> grants;
};

// PoolSize is how many keys of each parameter set wait in a pool. An expanded ML-KEM key takes a tenth of the memory of
// an ML-DSA key.
struct PoolSize {
  size_t mldsa = 0;
  size_t mlkem = 0;
};

struct StoreConfig {
  uint32_t window_capacity = 1'000'000;  // nonces remembered for each version of a decrypting key
  uint64_t window_bytes = 256 << 20;     // of all windows together
  uint64_t use_limit = 1ull << 32;       // encryptions of one AES key version
  uint32_t use_block = 1u << 16;         // uses reserved ahead at a time; grows with the rate. Not with max_uses
  size_t expanded_keys = 256;            // bounded cache of expanded ML-DSA and ML-KEM keys
  PoolSize pool{4, 16};                  // made while idle, of each algorithm that session keys were asked of
  std::function<std::optional<platform::WallTime>()> wall_clock = platform::wall_clock_now;  // for keys that have dates
};

// Holdings is what a principal has now of what PrincipalLimits bound.
struct Holdings {
  uint32_t persistent_keys = 0;
  uint32_t volatile_keys = 0;
  uint32_t session_keys = 0;    // over all its sessions
  uint32_t keys_of_minute = 0;  // of keys_per_minute, what can't be made right now
  uint64_t store_bytes = 0;
  uint64_t window_bytes = 0;
};

// KeyAccess is a key and what the asking principal may do with it.
struct KeyAccess {
  KeyRef key;
  Usages usages = 0;
  bool owned = false;
};

struct KeyCounts {
  uint32_t persistent = 0;
  uint32_t in_memory = 0;
};

// KeyUse is what a key version has used of its limit: encryptions, or with max_uses signatures or decapsulations.
struct KeyUse {
  uint32_t key_id = 0;
  uint32_t version = 0;
  uint64_t uses = 0;
  uint64_t use_limit = 0;
};

// StoreMetrics is how the store is, in numbers.
struct StoreMetrics {
  static constexpr size_t kMostUsed = 8;

  uint32_t session_keys = 0;
  uint32_t volatile_keys = 0;
  uint32_t persistent_keys = 0;
  uint32_t damaged_keys = 0;             // whose record can't be used
  std::array<uint32_t, 5> use_levels{};  // versions that have a limit: under 50, 75, 90, 100 % of their limit, used up
  std::vector<KeyUse> most_used;         // the fullest of them first, at most kMostUsed, none that was never used
  uint64_t window_bytes = 0;
  uint64_t window_bytes_limit = 0;
  bool reservations_fail = false;  // neither uses nor ids can be reserved on the medium
};

// KeyStore holds every key. Thread-safe. A function that changes a persistent key returns only when the change is
// durable; on failure nothing changed. Principals are those given to open; an unknown name is kDenied.
class KeyStore {
 public:
  // open reads or makes the store on `medium`, unlocked by `protector`. All references must outlive the store. Records
  // that don't authenticate are refused by name (kStorageError) when they are used and reported in warnings(); the rest
  // of the store stays usable.
  static Result<std::unique_ptr<KeyStore>> open(Medium& medium, Protector& protector, const crypto::Library& library,
                                                const StoreConfig& config, std::vector<Principal> principals);
  virtual ~KeyStore() = default;  // writes the exact use counts back

  // generate and import make a key of `principal`; `session` matters for Lifetime::kSession and must not have ended.
  // kInvalidPayload for usages, a label, limits or key material that don't fit, kLimitReached at a limit of the
  // principal, kUnsupported without a provider for the algorithm, kStorageError when nothing could be stored or no id
  // reserved. A public key may only be made to verify or encapsulate.
  virtual Result<KeyRef> generate(std::string_view principal, SessionId session, const KeySpec& spec) = 0;
  virtual Result<KeyRef> import_secret(std::string_view principal, SessionId session, const KeySpec& spec,
                                       Bytes secret) = 0;
  virtual Result<KeyRef> import_public(std::string_view principal, SessionId session, const KeySpec& spec,
                                       Bytes public_key) = 0;

  // find is the only way from an id to a key. kKeyNotFound for no key, a session key of another session, and a key that
  // is neither owned nor granted: the three can't be told apart.
  virtual Result<KeyAccess> find(std::string_view principal, SessionId session, uint32_t id) = 0;

  // list gives what `principal` owns or was granted, ids above `after`, in order, at most `count`.
  virtual Result<std::vector<KeyAccess>> list(std::string_view principal, SessionId session, uint32_t after,
                                              size_t count) = 0;

  // rotate, retire and remove are the owner's only (kKeyNotFound for others without access, kDenied for granted ones).

  // rotate adds an active version. No version is dropped to make room: with kRetainedVersions retired ones
  // kLimitReached, until one is removed. kWrongKeyUsage for a retired or a public-only key, kKeyNotValid
  // after the key's not_after: its dates, and max_uses for each version, stay what they are.
  virtual Result<VersionRef> rotate(std::string_view principal, SessionId session, uint32_t id) = 0;

  // retire leaves a key that only decrypts, verifies and decapsulates, for good. Retiring a retired key succeeds.
  virtual Result<> retire(std::string_view principal, SessionId session, uint32_t id) = 0;

  // remove deletes one version, or with 0 the key; deleting the only version deletes the key. The active version of
  // several can't be deleted alone (kWrongKeyUsage). A whole key can be removed although its record is damaged.
  virtual Result<> remove(std::string_view principal, SessionId session, uint32_t id, uint32_t version) = 0;

  // refill_pool lets keys for later be made in the background, where some were taken. Some nanoseconds, but for the
  // first call after a key was taken: that one wakes a thread.
  virtual void refill_pool() = 0;

  // end_session wipes and forgets the session's keys.
  virtual void end_session(SessionId session) = 0;

  // reconfigure puts other principals, limits and grants in force for everything that begins afterwards. Keys stay with
  // their owner's name; a name that is no longer there is kDenied, and one with less than it holds keeps what it holds.
  // kInvalidArgument, and nothing changed, for names that are improper or doubled.
  virtual Result<> reconfigure(std::vector<Principal> principals) = 0;

  // keep_audit_head makes the end of the audit log durable within a few seconds, and with the store's end at the
  // latest. audit_head is the one that was kept last.
  virtual void keep_audit_head(const AuditHead& head) = 0;
  virtual AuditHead audit_head() const = 0;

  virtual KeyCounts counts() const = 0;

  // metrics looks at every key, some hundred nanoseconds for each; others are never kept waiting for long.
  virtual StoreMetrics metrics() const = 0;

  // reserving_for is how long the thread that reserves uses and ids has been at it; 0 while it has nothing to do.
  virtual platform::Duration reserving_for() const = 0;
  virtual Result<Holdings> holdings(std::string_view principal) const = 0;
  virtual Place place() const = 0;

  // offers_inside_token tells whether keys of that algorithm can be made with KeySpec::inside_token.
  virtual bool offers_inside_token(Algorithm algorithm) const = 0;

  // warnings are sentences for STATUS and the log: key versions over 75% of their uses, stored keys whose
  // not_after is near or over, records that don't
  // authenticate, reservations that fail. At most 65.
  virtual std::vector<std::string> warnings() const = 0;
};

}  // namespace wvds::keystore
