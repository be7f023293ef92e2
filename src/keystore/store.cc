#include "keystore/store.h"

#include <utility>

#include "base/log.h"

// Finding and listing. The other files store_*.cc have the rest of the class.
namespace wvds::keystore {

Store::Store(const crypto::Library& library, const StoreConfig& config, Principals principals, StoreOptions options,
             Protector& protector)
    : shared_(std::make_shared<SharedParts>(library, config)),
      options_(std::move(options)),
      place_(protector.place()),
      principals_(std::move(principals)),
      stored_ids_{kFirstStoredId, kFirstStoredId, kFirstMemoryId},
      rollback_(protector.rollback_counter()),
      memory_ids_{kFirstMemoryId, kFirstMemoryId, kEndOfMemoryIds},
      pool_(library, shared_->expanded, config.pool) {
  shared_->token_keys = protector.token_keys();
}

// Counters are closed before they are written, so that a worker that still holds a key can't take a use that nobody
// remembers.
Store::~Store() {
  bell_->stop();
  thread_.join();
  const std::lock_guard lock(changes_);
  if (files_ == nullptr || !index_lost_.empty()) return;
  for (auto& [id, entry] : entries_) {
    if (entry.counter != nullptr) entry.counter->close(Status::kNotReady);
  }
  if (auto written = write_index(true); !written)
    log_warning("use counts not written back", {{"cause", written.error().detail}});
}

Result<Store::Owner> Store::configured(std::string_view principal) const {
  auto owner = principals_.find(principal);
  if (owner == nullptr) return fail(Status::kDenied, "unknown principal");
  return owner;
}

Store::Access Store::access(const PrincipalState& principal, SessionId session, uint32_t id, const Entry& entry) const {
  if (entry.lifetime == Lifetime::kSession && entry.session != session) return Access::kNone;
  if (entry.owner.get() == &principal) return Access::kOwned;
  return entry.lifetime == Lifetime::kPersistent && principal.granted(id) != 0 ? Access::kGranted : Access::kNone;
}

Result<KeyAccess> Store::find(std::string_view principal, SessionId session, uint32_t id) {
  WVDS_ASSIGN(owner, configured(principal));
  std::shared_ptr<StoredKey> key;
  Access found = Access::kNone;
  {
    const std::shared_lock lock(table_);
    const auto entry = entries_.find(id);
    if (entry != entries_.end()) found = access(*owner, session, id, entry->second);
    if (found == Access::kNone) return fail(Status::kKeyNotFound);
    if (!entry->second.damage.empty()) return fail(Status::kStorageError, entry->second.damage);
    key = entry->second.key;
  }
  if (key == nullptr) {
    const std::lock_guard lock(changes_);
    WVDS_ASSIGN(loaded, load(id));
    key = std::move(loaded);
  }
  const Usages usages = key->spec().usages;
  return KeyAccess{key, found == Access::kOwned ? usages : static_cast<Usages>(usages & owner->granted(id)),
                   found == Access::kOwned};
}

// The next key that `principal` can reach, in the order of ids.
std::optional<uint32_t> Store::next_id(const PrincipalState& principal, SessionId session, uint32_t after) const {
  const std::shared_lock lock(table_);
  std::optional<uint32_t> next;
  for (auto id = principal.ids.upper_bound(after); id != principal.ids.end() && !next; ++id) {
    if (access(principal, session, *id, entries_.at(*id)) != Access::kNone) next = *id;
  }
  for (const Grant& grant : principal.grants()) {
    if (grant.key_id <= after || (next && grant.key_id >= *next)) continue;
    const auto entry = entries_.find(grant.key_id);
    if (entry != entries_.end() && access(principal, session, grant.key_id, entry->second) != Access::kNone)
      next = grant.key_id;
  }
  return next;
}

Result<std::vector<KeyAccess>> Store::list(std::string_view principal, SessionId session, uint32_t after,
                                           size_t count) {
  WVDS_ASSIGN(owner, configured(principal));
  std::vector<KeyAccess> out;
  while (out.size() < count) {
    const auto id = next_id(*owner, session, after);
    if (!id) break;
    after = *id;
    // A key that is gone by now or can't be read is not listed; warnings() names the latter.
    if (auto found = find(principal, session, *id)) out.push_back(std::move(*found));
  }
  return out;
}

void Store::insert(uint32_t id, Entry entry) {
  const std::unique_lock lock(table_);
  ++(entry.lifetime == Lifetime::kPersistent ? counts_.persistent : counts_.in_memory);
  entry.owner->ids.insert(id);
  if (entry.lifetime == Lifetime::kSession) session_ids_[entry.session].insert(id);
  entries_[id] = std::move(entry);
}

// erase returns the key that was there; null also when it was never read.
std::shared_ptr<StoredKey> Store::erase(uint32_t id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return nullptr;
  Entry& entry = found->second;
  --(entry.lifetime == Lifetime::kPersistent ? counts_.persistent : counts_.in_memory);
  entry.owner->ids.erase(id);
  entry.owner->release(entry.holding());
  if (const auto of_session = session_ids_.find(entry.session); of_session != session_ids_.end())
    of_session->second.erase(id);
  auto key = std::move(entry.key);
  entries_.erase(found);
  return key;
}

// A session must be able to end where memory has run out: nothing here wants any.
void Store::end_session(SessionId session) {
  while (const auto key = erase_one_of(session)) key->mark_deleted();
}

std::shared_ptr<StoredKey> Store::erase_one_of(SessionId session) {
  const std::unique_lock lock(table_);
  const auto found = session_ids_.find(session);
  if (found == session_ids_.end()) return nullptr;
  if (!found->second.empty()) return erase(*found->second.begin());
  session_ids_.erase(found);
  return nullptr;
}

KeyCounts Store::counts() const {
  const std::shared_lock lock(table_);
  return counts_;
}

Result<Holdings> Store::holdings(std::string_view principal) const {
  WVDS_ASSIGN(owner, configured(principal));
  return owner->holdings(options_.now());
}

void Store::warn(std::string sentence) {
  log_warning("key store", {{"warning", sentence}});
  const std::lock_guard lock(warnings_lock_);
  warnings_.push_back(std::move(sentence));
}

// Of a key that can't be read its record is all there is to warn of.
void Store::add_warnings(uint32_t id, const Entry& entry, std::optional<platform::WallTime> now,
                         std::vector<std::string>& out) {
  if (!entry.damage.empty()) return out.push_back(entry.damage);
  const std::string key = "key " + std::to_string(id);
  if (const UseCounter* counter = entry.counter.get();
      counter != nullptr && !counter->closed() && counter->nearly_used_up()) {
    out.push_back(key + " version " + std::to_string(entry.counted_version) + " has used " +
                  std::to_string(counter->used()) + " of its " + std::to_string(counter->limit()) +
                  (entry.limits.max_uses == 0 ? " encryptions: rotate it" : " uses: rotate it, or make a new one"));
  }
  if (entry.retired) return;
  if (const std::string end = end_warning(entry.limits, now); !end.empty()) out.push_back(key + " " + end);
}

std::vector<std::string> Store::warnings() const {
  constexpr size_t kMost = 64;  // a status message has an end
  std::vector<std::string> out;
  {
    const std::lock_guard lock(warnings_lock_);
    out = warnings_;
    if (!reservation_failure_.empty()) out.push_back("uses and ids can't be reserved: " + reservation_failure_);
    if (!rollback_failure_.empty()) out.push_back("an older store put back would not be noticed: " + rollback_failure_);
  }
  const auto now = shared_->config.wall_clock();
  const std::shared_lock lock(table_);
  for (const auto& [id, entry] : entries_) add_warnings(id, entry, now, out);
  const size_t left_out = out.size() - std::min(out.size(), kMost);
  if (left_out > 0) {
    out.resize(kMost);
    out.push_back("and " + std::to_string(left_out) + " more");
  }
  return out;
}

}  // namespace wvds::keystore
