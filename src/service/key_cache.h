#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "crypto/aead.h"
#include "keystore/key_store.h"

namespace wvds::service {

// CachedVersion is a key version with this worker's own cipher contexts for it.
class CachedVersion {
 public:
  explicit CachedVersion(keystore::VersionRef version) : version_(std::move(version)) {}

  keystore::KeyVersion& version() const { return *version_; }
  const keystore::VersionRef& ref() const { return version_; }

  // sealer and opener are made at their first use. One sealer a key version and worker: it makes the nonces.
  Result<crypto::AeadSealer*> sealer(const crypto::Library& library, crypto::NonceMode nonces);
  Result<crypto::AeadOpener*> opener(const crypto::Library& library);

  // passed_mark is true once when the version's uses have reached `mark`, and again after every `step` further.
  bool passed_mark(uint64_t mark, uint64_t step);

 private:
  keystore::VersionRef version_;
  std::unique_ptr<crypto::AeadSealer> sealer_;
  std::unique_ptr<crypto::AeadOpener> opener_;
  uint64_t next_mark_ = 0;
};

// CachedKey is a key that this worker's principal may use.
class CachedKey {
 public:
  explicit CachedKey(keystore::KeyAccess access);

  const keystore::Key& key() const { return *access_.key; }
  Usages usages() const { return access_.usages; }
  bool owned() const { return access_.owned; }

  // versions lists what decrypts and verifies, newest first; active is the one that encrypts, signs and encapsulates
  // (kWrongKeyUsage when the key is retired).
  std::vector<CachedVersion>& versions() { return versions_; }
  Result<CachedVersion*> active();

  bool changed() const { return access_.key->change_count() != change_count_; }

  // refresh takes over a change of the versions, if there was one. Contexts of versions that stay are kept.
  void refresh();

 private:
  static constexpr size_t kNone = SIZE_MAX;

  void rebuild();
  void note_active();

  keystore::KeyAccess access_;
  std::vector<CachedVersion> versions_;
  size_t active_ = kNone;  // index into versions_
  Status inactive_ = Status::kInternalError;
  uint32_t change_count_ = 0;
};

// KeyCache holds the keys that a session used last, so that a request needs no lock and no look-up in the store. One
// thread at a time.
class KeyCache {
 public:
  static constexpr size_t kDefaultCapacity = 256;

  // Store and principal's name must outlive the cache.
  KeyCache(keystore::KeyStore& store, const std::string& principal, keystore::SessionId session,
           size_t capacity = kDefaultCapacity);

  // find returns a key that was not deleted when it was looked at; valid until the next call of a function of the
  // cache. kKeyNotFound as KeyStore::find.
  Result<CachedKey*> find(uint32_t id);

  // clear lets go of every key. Does not fail.
  void clear() {
    by_id_.clear();
    keys_.clear();
  }

  // sweep lets go of every key that was deleted or lost a version. Does not fail.
  void sweep();

  size_t size() const { return keys_.size(); }

 private:
  using Keys = std::list<CachedKey>;

  Result<CachedKey*> load(uint32_t id);
  void erase(Keys::iterator key);

  keystore::KeyStore& store_;
  const std::string& principal_;
  const keystore::SessionId session_;
  const size_t capacity_;
  Keys keys_;  // used last comes first
  std::unordered_map<uint32_t, Keys::iterator> by_id_;
};

}  // namespace wvds::service
