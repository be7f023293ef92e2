#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <vector>

#include "keystore/key_pool.h"
#include "keystore/key_store.h"
#include "keystore/principals.h"
#include "keystore/refill_bell.h"
#include "keystore/rollback_guard.h"
#include "keystore/store_files.h"
#include "keystore/stored_key.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace wvds::keystore {

// StoreOptions are for tests; the defaults are the product's.
struct StoreOptions {
  std::function<platform::TimePoint()> now = platform::monotonic_now;
  bool background = true;  // false: nothing is reserved but at open, by refill() and when ids run out
  platform::Duration write_delay =
      std::chrono::seconds(1);  // how long bookkeeping may wait for more of it, and a retry after a failure
  platform::Duration pool_quiet = std::chrono::milliseconds(50);
  uint32_t stored_id_block = 64;
  uint32_t memory_id_block = 65536;
};

// IdRange hands out ids that were reserved before. Guarded by the store's change lock or its memory-id lock.
struct IdRange {
  uint32_t next = 0;
  uint32_t reserved = 0;  // ids below may be handed out
  uint32_t end = 0;       // of the range

  std::optional<uint32_t> take() { return next < reserved ? std::optional(next++) : std::nullopt; }
  uint32_t next_reservation(uint32_t block) const {
    return static_cast<uint32_t>(std::min<uint64_t>(end, uint64_t{next} + block));
  }
  bool runs_low(uint32_t block) const { return reserved < end && reserved - next < block / 2; }
};

// Store is the KeyStore. Locks, in the order in which they may be taken together: changes_ (everything that touches the
// medium or a persistent key; held during disk writes), memory_changes_ (changes of keys in memory only), table_ (the
// map of keys; never held during disk writes or cryptography).
class Store final : public KeyStore {
 public:
  static Result<std::unique_ptr<Store>> open(Medium& medium, Protector& protector, const crypto::Library& library,
                                             const StoreConfig& config, std::vector<Principal> principals,
                                             StoreOptions options);
  ~Store() override;

  Result<KeyRef> generate(std::string_view principal, SessionId session, const KeySpec& spec) override;
  Result<KeyRef> import_secret(std::string_view principal, SessionId session, const KeySpec& spec,
                               Bytes secret) override;
  Result<KeyRef> import_public(std::string_view principal, SessionId session, const KeySpec& spec,
                               Bytes public_key) override;
  Result<KeyAccess> find(std::string_view principal, SessionId session, uint32_t id) override;
  Result<std::vector<KeyAccess>> list(std::string_view principal, SessionId session, uint32_t after,
                                      size_t count) override;
  Result<VersionRef> rotate(std::string_view principal, SessionId session, uint32_t id) override;
  Result<> retire(std::string_view principal, SessionId session, uint32_t id) override;
  Result<> remove(std::string_view principal, SessionId session, uint32_t id, uint32_t version) override;
  void refill_pool() override { pool_.refill(); }
  void end_session(SessionId session) override;
  void keep_audit_head(const AuditHead& head) override;
  AuditHead audit_head() const override;
  KeyCounts counts() const override;
  Result<> reconfigure(std::vector<Principal> principals) override {
    return principals_.reconfigure(std::move(principals));
  }
  StoreMetrics metrics() const override;
  platform::Duration reserving_for() const override { return bell_->trying_for(platform::monotonic_now()); }
  Result<Holdings> holdings(std::string_view principal) const override;
  Place place() const override { return place_; }
  bool offers_inside_token(Algorithm algorithm) const override {
    const auto& token = shared_->token_keys;
    return is_post_quantum(algorithm) && token != nullptr && !shared_->library.fips_required() &&
           token->offers(algorithm);
  }
  std::vector<std::string> warnings() const override;

  // refill reserves uses and ids and writes the index, as the thread does when it is asked to.
  Result<> refill();

 private:
  using Owner = std::shared_ptr<PrincipalState>;

  struct Entry {
    Owner owner;
    Lifetime lifetime = Lifetime::kPersistent;
    SessionId session = 0;                // of a session key
    std::shared_ptr<StoredKey> key;       // null: not read yet
    uint32_t generation = 0;              // of the record
    uint32_t bytes = 0;                   // of the record
    uint32_t counted_version = 0;         // the version that `counter` counts
    std::shared_ptr<UseCounter> counter;  // of a persistent key's counted version
    KeyLimits limits = {};                // of a persistent key
    bool retired = false;                 // known of persistent keys that have limits or were read
    std::string damage;                   // why the record can't be used

    Holding holding() const { return {lifetime, bytes}; }
  };

  enum class Access { kNone, kGranted, kOwned };

  // OwnedKey is a key that its owner is about to change.
  struct OwnedKey {
    Owner owner;
    std::shared_ptr<StoredKey> key;
  };

  Store(const crypto::Library& library, const StoreConfig& config, Principals principals, StoreOptions options,
        Protector& protector);

  // store_open.cc
  Result<> check_rollback(Result<IndexFields>& index);
  void adopt_index(const IndexFields& index);
  void adopt_listed(const IndexedKey& listed);
  void adopt_unlisted(uint32_t id);
  Result<> adopt_record(uint32_t id);
  void reserve_at_open();
  Result<> start_threads();
  bool try_refill();

  // store_index.cc; `changes_` is held but in take_memory_id
  IndexFields index_fields(bool exact);
  Result<> write_index(bool exact);
  void publish_reservations(const IndexFields& index);
  void advance_rollback();
  void note_key_change();
  void log_nearly_used_up();
  Result<uint32_t> take_stored_id();
  Result<uint32_t> take_memory_id();

  // store_load.cc; `changes_` is held
  Result<std::shared_ptr<StoredKey>> load(uint32_t id);
  Result<StoreFiles::Record> open_checked(uint32_t id, const Entry& entry, Bytes blob) const;
  Result<StoreFiles::Record> read_checked(uint32_t id, const Entry& entry);
  void note_damage(uint32_t id, const std::string& why);
  Result<std::shared_ptr<StoredKey>> build_key(StoreFiles::Record record, Entry& entry);
  std::shared_ptr<UseCounter> counter_of(const RecordFields& record, const Entry& entry) const;

  // store_make.cc
  Result<KeyRef> make_key(const Owner& owner, SessionId session, const KeySpec& spec, SecretForm form,
                          const std::function<Result<Material>()>& make_material);
  Result<KeyRef> store_new(const Owner& owner, const KeySpec& spec, Material material);
  Result<KeyRef> store_inside(const Owner& owner, const KeySpec& spec, Material material);
  Result<KeyRef> keep_new(const Owner& owner, SessionId session, const KeySpec& spec, Material material);
  Result<std::shared_ptr<StoredVersion>> new_version(const Owner& owner, const KeySpec& spec, uint32_t number,
                                                     Material material);
  uint64_t usual_block() const { return std::min<uint64_t>(shared_->config.use_block, shared_->config.use_limit); }

  Place place_of(const KeySpec& spec) const { return spec.inside_token ? Place::kHsmInside : place_; }
  Result<Material> material_of(const KeySpec& spec);
  void give_up(Bytes token_key_id);

  // store_change.cc
  std::mutex& change_lock(const StoredKey& key) {
    return key.spec().lifetime == Lifetime::kPersistent ? changes_ : memory_changes_;
  }
  Result<OwnedKey> find_owned(std::string_view principal, SessionId session, uint32_t id);
  Result<> write_versions(const OwnedKey& owned, const StoredVersions& versions, VersionState newest);
  void set_counter(const StoredKey& key);
  Result<VersionRef> add_version(const OwnedKey& owned, Material material);
  Result<> destroy_in_token(const StoredVersion& version);
  Result<> destroy_in_token(uint32_t id);  // all versions of a key; changes_ is held
  Result<> remove_version(const OwnedKey& owned, uint32_t number);
  Result<> remove_key(std::string_view principal, SessionId session, uint32_t id);  // its change lock is held

  // store_metrics.cc; table_ is held
  static void tally(uint32_t id, const Entry& entry, StoreMetrics& out);

  // store.cc
  Result<Owner> configured(std::string_view principal) const;
  Access access(const PrincipalState& principal, SessionId session, uint32_t id, const Entry& entry) const;
  std::optional<uint32_t> next_id(const PrincipalState& principal, SessionId session, uint32_t after) const;
  void insert(uint32_t id, Entry entry);
  std::shared_ptr<StoredKey> erase(uint32_t id);  // under table_
  std::shared_ptr<StoredKey> erase_one_of(SessionId session);
  void warn(std::string sentence);
  static void add_warnings(uint32_t id, const Entry& entry, std::optional<platform::WallTime> now,
                           std::vector<std::string>& out);  // under table_

  const std::shared_ptr<SharedParts> shared_;
  const std::shared_ptr<RefillBell> bell_ = std::make_shared<RefillBell>();
  const StoreOptions options_;
  const Place place_;
  Principals principals_;

  std::mutex changes_;
  std::unique_ptr<StoreFiles> files_;  // guarded by changes_
  IdRange stored_ids_;                 // guarded by changes_
  uint32_t first_unknown_id_ =
      UINT32_MAX;  // of a record that is newer than the index and could not be read; constant after open
  uint64_t index_generation_ = 0;  // guarded by changes_
  Extensions index_extensions_;
  RollbackGuard rollback_;  // guarded by changes_
  std::string index_lost_;  // why nothing can be reserved; constant after open

  std::mutex memory_changes_;
  std::mutex memory_id_lock_;
  IdRange memory_ids_;  // guarded by memory_id_lock_

  mutable std::shared_mutex table_;
  std::map<uint32_t, Entry> entries_;                    // guarded by table_
  std::map<SessionId, std::set<uint32_t>> session_ids_;  // guarded by table_
  KeyCounts counts_;                                     // guarded by table_

  mutable std::mutex audit_lock_;
  AuditHead audit_head_;  // guarded by audit_lock_

  mutable std::mutex warnings_lock_;
  std::vector<std::string> warnings_;  // of opening
  std::string reservation_failure_;    // empty while reservations succeed
  std::string rollback_failure_;       // why the rollback counter stands still; empty while it does not

  KeyPool pool_;
  platform::Thread thread_;
};

}  // namespace wvds::keystore
