#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "keystore/expanded_keys.h"
#include "keystore/format.h"
#include "keystore/key.h"
#include "keystore/material.h"
#include "keystore/principals.h"
#include "keystore/use_counter.h"

// The store's own form of keys. What is public here but not in key.h is for the store only.
namespace wvds::keystore {

// SharedParts are used by the store and by every version, which a worker may hold longer than the store lives.
struct SharedParts {
  SharedParts(const crypto::Library& library, const StoreConfig& config)
      : library(library), config(config), windows(config.window_bytes), expanded(config.expanded_keys) {}

  const crypto::Library& library;
  const StoreConfig config;
  WindowBudget windows;
  ExpandedKeys expanded;
  std::shared_ptr<TokenKeys> token_keys;  // null: none. Constant once the store is open
};

// uses_are_counted tells whether the versions of a key have a limit of uses: those that encrypt with AES-256-GCM, and
// those of a key that has max_uses.
inline bool uses_are_counted(const KeySpec& spec) {
  return spec.limits.max_uses != 0 || (spec.algorithm == Algorithm::kAes256Gcm && allows(spec.usages, Usage::kEncrypt));
}

// version_is_counted: a retired key has nothing left to count, but for one of ML-KEM, which still decapsulates.
inline bool version_is_counted(const KeySpec& spec, VersionState state) {
  return uses_are_counted(spec) && (state == VersionState::kActive || is_ml_kem(spec.algorithm));
}

// use_limit_of is the limit of one version; 0 where uses are not counted.
uint64_t use_limit_of(const KeySpec& spec, const StoreConfig& config);

// A limit of the key's own may be low, so that crashes must waste little of it: its uses are reserved when somebody
// asks for them (UseCounter, `largest_block`), and none before.
uint64_t largest_block_of(const KeyLimits& limits);
uint64_t first_grant_of(const KeySpec& spec, const StoreConfig& config);

class StoredVersion final : public KeyVersion {
 public:
  // `counter` is null where uses are not counted; `uses` is then what uses() reports.
  struct Parts {
    uint32_t number = 0;
    VersionState state = VersionState::kActive;
    Material material;
    std::shared_ptr<UseCounter> counter;
    uint64_t uses = 0;
  };
  static Result<std::shared_ptr<StoredVersion>> make(std::shared_ptr<SharedParts> shared,
                                                     std::shared_ptr<PrincipalState> owner, const KeySpec& spec,
                                                     Parts parts);
  ~StoredVersion() override;

  uint32_t number() const override { return number_; }
  VersionState state() const override { return state_.load(); }
  bool deleted() const override { return deleted_.load(std::memory_order_acquire); }
  Result<> count_use() override;
  uint64_t uses() const override { return counter_ != nullptr ? counter_->used() : uses_; }
  uint64_t use_limit() const override { return use_limit_; }
  Bytes aes_key() const override;
  NonceWindow* window() const override { return window_.get(); }
  Result<std::shared_ptr<const crypto::MlDsaPrivateKey>> mldsa_private() const override;
  Result<std::shared_ptr<const crypto::MlDsaPublicKey>> mldsa_public() const override;
  Result<std::shared_ptr<const crypto::MlKemPrivateKey>> mlkem_private() const override;
  Result<std::shared_ptr<const crypto::MlKemPublicKey>> mlkem_public() const override;
  Result<std::shared_ptr<const crypto::EcdsaPrivateKey>> ecdsa_private() const override;
  Result<std::shared_ptr<const crypto::EcdsaPublicKey>> ecdsa_public() const override;
  Bytes public_key() const override { return public_key_; }

  Bytes secret() const { return secret_.expose(); }
  SecretForm form() const { return form_; }
  const std::shared_ptr<UseCounter>& counter() const { return counter_; }

  // supersede says that there is a newer version: what it was granted stays, so its counter is not closed. retire and
  // mark_deleted also end the version's encryptions at once.
  void supersede() { state_ = VersionState::kRetired; }
  void retire();
  void mark_deleted();

 private:
  StoredVersion(std::shared_ptr<SharedParts> shared, std::shared_ptr<PrincipalState> owner, const KeySpec& spec,
                Parts parts);
  Result<> make_window(const KeySpec& spec);
  template <class PrivateKey>
  Result<std::shared_ptr<const PrivateKey>> private_key(bool is_of_this_kind) const;
  template <class PrivateKey>
  Result<std::unique_ptr<PrivateKey>> key_in_token() const;
  template <class PublicKey, class PrivateKey>
  Result<std::shared_ptr<const PublicKey>> public_form(bool is_of_this_kind) const;

  const std::shared_ptr<SharedParts> shared_;
  const std::shared_ptr<PrincipalState> owner_;
  const Algorithm algorithm_;
  const uint32_t number_;
  std::atomic<VersionState> state_;
  std::atomic<bool> deleted_{false};
  const SecretForm form_;
  const crypto::LockedBytes secret_;
  const std::vector<std::byte> public_key_;
  const std::shared_ptr<UseCounter> counter_;
  const uint64_t uses_;
  const uint64_t use_limit_;
  const bool counts_when_retired_;
  std::unique_ptr<NonceWindow> window_;
};

using StoredVersions = std::vector<std::shared_ptr<StoredVersion>>;  // newest first

class StoredKey final : public Key {
 public:
  StoredKey(std::shared_ptr<SharedParts> shared, uint32_t id, std::shared_ptr<PrincipalState> owner, KeySpec spec,
            Place place, StoredVersions versions, Extensions extensions)
      : shared_(std::move(shared)),
        id_(id),
        owner_(std::move(owner)),
        spec_(std::move(spec)),
        place_(place),
        extensions_(std::move(extensions)),
        versions_(std::move(versions)) {}

  uint32_t id() const override { return id_; }
  const std::string& owner() const override { return owner_->name(); }
  const KeySpec& spec() const override { return spec_; }
  Place place() const override { return place_; }
  bool deleted() const override { return deleted_.load(std::memory_order_acquire); }
  uint32_t change_count() const override { return change_count_.load(std::memory_order_acquire); }
  Result<> check_dates(Purpose purpose) const override;
  Result<VersionRef> active() const override;
  std::vector<VersionRef> versions() const override;

  // check_end is kKeyNotValid where a new version could do nothing, because the key's not_after is over. One that is
  // not valid yet waits for its time.
  Result<> check_end() const;

  const Extensions& extensions() const { return extensions_; }
  StoredVersions stored_versions() const;

  // set_versions publishes a new list: all but the newest are superseded in the same moment, so that no one finds a key
  // without an active version while it is rotated. What is not in the list any more is deleted, and so is
  // everything once the key is.
  void set_versions(StoredVersions versions);
  void retire();
  void mark_deleted();

 private:
  const std::shared_ptr<SharedParts> shared_;
  const uint32_t id_;
  const std::shared_ptr<PrincipalState> owner_;
  const KeySpec spec_;
  const Place place_;
  const Extensions extensions_;
  mutable std::mutex mutex_;
  StoredVersions versions_;
  std::atomic<uint32_t> change_count_{0};
  std::atomic<bool> deleted_{false};
};

}  // namespace wvds::keystore
