#include "service/key_cache.h"

#include <algorithm>

namespace wvds::service {

Result<crypto::AeadSealer*> CachedVersion::sealer(const crypto::Library& library, crypto::NonceMode nonces) {
  if (sealer_ == nullptr) {
    WVDS_ASSIGN(made, crypto::AeadSealer::create(library, version_->aes_key(), nonces));
    sealer_ = std::move(made);
  }
  return sealer_.get();
}

Result<crypto::AeadOpener*> CachedVersion::opener(const crypto::Library& library) {
  if (opener_ == nullptr) {
    WVDS_ASSIGN(made, crypto::AeadOpener::create(library, version_->aes_key()));
    opener_ = std::move(made);
  }
  return opener_.get();
}

bool CachedVersion::passed_mark(uint64_t mark, uint64_t step) {
  const uint64_t uses = version_->uses();
  if (uses < std::max(mark, next_mark_)) return false;
  next_mark_ = uses + std::max<uint64_t>(step, 1);
  return true;
}

CachedKey::CachedKey(keystore::KeyAccess access) : access_(std::move(access)) { rebuild(); }

Result<CachedVersion*> CachedKey::active() {
  if (active_ == kNone) return fail(inactive_);
  return &versions_[active_];
}

void CachedKey::refresh() {
  if (changed()) rebuild();
}

void CachedKey::rebuild() {
  // The count comes first: a change while the versions are read is then seen by the next refresh.
  change_count_ = access_.key->change_count();
  std::vector<CachedVersion> rebuilt;
  for (keystore::VersionRef& version : access_.key->versions()) {
    const auto known = std::ranges::find(versions_, version, &CachedVersion::ref);
    if (known != versions_.end()) {
      rebuilt.push_back(std::move(*known));
    } else {
      rebuilt.emplace_back(std::move(version));
    }
  }
  versions_ = std::move(rebuilt);
  note_active();
}

void CachedKey::note_active() {
  active_ = kNone;
  const Result<keystore::VersionRef> active = access_.key->active();
  if (!active) {
    inactive_ = active.error().status;
    return;
  }
  const auto found = std::ranges::find(versions_, *active, &CachedVersion::ref);
  active_ = static_cast<size_t>(found - versions_.begin());
  if (found == versions_.end())
    versions_.emplace_back(*active);  // made meanwhile: the next refresh puts it into its place
}

KeyCache::KeyCache(keystore::KeyStore& store, const std::string& principal, keystore::SessionId session,
                   size_t capacity)
    : store_(store), principal_(principal), session_(session), capacity_(capacity) {}

Result<CachedKey*> KeyCache::find(uint32_t id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return load(id);
  const Keys::iterator cached = found->second;
  if (cached->key().deleted()) {
    erase(cached);
    return fail(Status::kKeyNotFound);
  }
  cached->refresh();
  keys_.splice(keys_.begin(), keys_, cached);
  return &*cached;
}

Result<CachedKey*> KeyCache::load(uint32_t id) {
  WVDS_ASSIGN(access, store_.find(principal_, session_, id));
  if (keys_.size() >= capacity_) erase(std::prev(keys_.end()));
  keys_.emplace_front(std::move(access));
  by_id_.emplace(id, keys_.begin());
  return &keys_.front();
}

void KeyCache::erase(Keys::iterator key) {
  by_id_.erase(key->key().id());
  keys_.erase(key);
}

// A changed key goes too: to take over its versions needs memory, and a sweep must not fail. Its next use loads it
// again.
void KeyCache::sweep() {
  for (auto key = keys_.begin(); key != keys_.end();) {
    const auto next = std::next(key);
    if (key->key().deleted() || key->changed()) erase(key);
    key = next;
  }
}

}  // namespace wvds::service
