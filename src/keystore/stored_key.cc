#include "keystore/stored_key.h"

#include <algorithm>
#include <ranges>

namespace wvds::keystore {
namespace {

using crypto::EcdsaPrivateKey;
using crypto::EcdsaPublicKey;
using crypto::MlDsaPrivateKey;
using crypto::MlDsaPublicKey;
using crypto::MlKemPrivateKey;
using crypto::MlKemPublicKey;
using Form = ExpandedKeys::Form;

// A crash wastes at most so much of a key's max_uses: what is lost with it is one block.
constexpr uint64_t kBlocksOfLimit = 64;

// check_token: FIPS required means OpenSSL's module, which a token is not.
Result<> check_token(const SharedParts& shared) {
  if (shared.library.fips_required())
    return fail(Status::kUnsupported, "with FIPS required no key inside a token is used");
  if (shared.token_keys != nullptr) return {};
  return fail(Status::kUnsupported, "the key is inside a token, and the store's protector has none: use protector hsm");
}

}  // namespace

uint64_t use_limit_of(const KeySpec& spec, const StoreConfig& config) {
  if (!uses_are_counted(spec)) return 0;
  const uint64_t most = spec.algorithm == Algorithm::kAes256Gcm ? config.use_limit : kMostUses;
  return spec.limits.max_uses == 0 ? most : std::min(most, spec.limits.max_uses);
}

uint64_t largest_block_of(const KeyLimits& limits) {
  if (limits.max_uses == 0) return UseCounter::kAnyBlock;
  return std::max<uint64_t>(1, limits.max_uses / kBlocksOfLimit);
}

uint64_t first_grant_of(const KeySpec& spec, const StoreConfig& config) {
  if (!uses_are_counted(spec) || spec.limits.max_uses != 0) return 0;
  return std::min<uint64_t>(config.use_block, config.use_limit);
}

StoredVersion::StoredVersion(std::shared_ptr<SharedParts> shared, std::shared_ptr<PrincipalState> owner,
                             const KeySpec& spec, Parts parts)
    : shared_(std::move(shared)),
      owner_(std::move(owner)),
      algorithm_(spec.algorithm),
      number_(parts.number),
      state_(parts.state),
      form_(parts.material.form()),
      secret_(std::move(parts.material.secret)),
      public_key_(std::move(parts.material.public_key)),
      counter_(std::move(parts.counter)),
      uses_(parts.uses),
      use_limit_(use_limit_of(spec, shared_->config)),
      counts_when_retired_(version_is_counted(spec, VersionState::kRetired)) {
  if (parts.material.expanded_private)
    shared_->expanded.put(this, Form::kPrivate, std::move(parts.material.expanded_private));
}

StoredVersion::~StoredVersion() { shared_->expanded.forget(this); }

Result<std::shared_ptr<StoredVersion>> StoredVersion::make(std::shared_ptr<SharedParts> shared,
                                                           std::shared_ptr<PrincipalState> owner, const KeySpec& spec,
                                                           Parts parts) {
  std::shared_ptr<StoredVersion> version(
      new StoredVersion(std::move(shared), std::move(owner), spec, std::move(parts)));
  WVDS_TRY(version->make_window(spec));
  return version;
}

Result<> StoredVersion::make_window(const KeySpec& spec) {
  const uint32_t capacity = shared_->config.window_capacity;
  const bool wanted =
      spec.algorithm == Algorithm::kAes256Gcm && spec.replay_window && allows(spec.usages, Usage::kDecrypt);
  if (!wanted || capacity == 0) return {};
  HashSeed seed{};
  WVDS_TRY(shared_->library.random(std::as_writable_bytes(std::span(seed))));
  window_ = std::make_unique<NonceWindow>(capacity, &shared_->windows, &owner_->window_budget, seed);
  return {};
}

Result<> StoredVersion::count_use() {
  if (counter_ != nullptr) return counter_->count();
  if (deleted()) return fail(Status::kKeyNotFound);
  if (use_limit_ != 0) return fail(Status::kWrongKeyUsage, "a retired version");
  return {};
}

Bytes StoredVersion::aes_key() const { return algorithm_ == Algorithm::kAes256Gcm ? secret_.expose() : Bytes{}; }

void StoredVersion::retire() {
  state_ = VersionState::kRetired;
  if (counter_ != nullptr && !counts_when_retired_) counter_->close(Status::kWrongKeyUsage);
}

void StoredVersion::mark_deleted() {
  deleted_.store(true, std::memory_order_release);
  if (counter_ != nullptr) counter_->close(Status::kKeyNotFound);
  shared_->expanded.forget(this);
}

template <>
Result<std::unique_ptr<MlDsaPrivateKey>> StoredVersion::key_in_token() const {
  WVDS_TRY(check_token(*shared_));
  return shared_->token_keys->mldsa(shared_->library, algorithm_, secret(), public_key_);
}

template <>
Result<std::unique_ptr<MlKemPrivateKey>> StoredVersion::key_in_token() const {
  WVDS_TRY(check_token(*shared_));
  return shared_->token_keys->mlkem(shared_->library, algorithm_, secret(), public_key_);
}

template <>
Result<std::unique_ptr<EcdsaPrivateKey>> StoredVersion::key_in_token() const {
  return fail(Status::kUnsupported, "no ECDSA key is inside a token");
}

template <class PrivateKey>
Result<std::shared_ptr<const PrivateKey>> StoredVersion::private_key(bool is_of_this_kind) const {
  if (!is_of_this_kind) return fail(Status::kWrongKeyType);
  if (form() == SecretForm::kPublicOnly) return fail(Status::kWrongKeyUsage, "the key has no private part");
  if (form() == SecretForm::kInToken) {
    return shared_->expanded.get<PrivateKey>(this, Form::kPrivate, [this] { return key_in_token<PrivateKey>(); });
  }
  return shared_->expanded.get<PrivateKey>(this, Form::kPrivate, [this] {
    return key_of_secret<PrivateKey>(shared_->library, algorithm_, secret_.expose());
  });
}

// A key with a private part is kept in that form only: it does what the public one does.
template <class PublicKey, class PrivateKey>
Result<std::shared_ptr<const PublicKey>> StoredVersion::public_form(bool is_of_this_kind) const {
  if (is_of_this_kind && form() == SecretForm::kSealed) {
    WVDS_ASSIGN(key, private_key<PrivateKey>(true));
    return key;
  }
  if (!is_of_this_kind) return fail(Status::kWrongKeyType);
  return shared_->expanded.get<PublicKey>(
      this, Form::kPublic, [this] { return PublicKey::import(shared_->library, algorithm_, public_key_); });
}

Result<std::shared_ptr<const MlDsaPrivateKey>> StoredVersion::mldsa_private() const {
  return private_key<MlDsaPrivateKey>(is_ml_dsa(algorithm_));
}

Result<std::shared_ptr<const MlDsaPublicKey>> StoredVersion::mldsa_public() const {
  return public_form<MlDsaPublicKey, MlDsaPrivateKey>(is_ml_dsa(algorithm_));
}

Result<std::shared_ptr<const MlKemPrivateKey>> StoredVersion::mlkem_private() const {
  return private_key<MlKemPrivateKey>(is_ml_kem(algorithm_));
}

Result<std::shared_ptr<const MlKemPublicKey>> StoredVersion::mlkem_public() const {
  return public_form<MlKemPublicKey, MlKemPrivateKey>(is_ml_kem(algorithm_));
}

Result<std::shared_ptr<const EcdsaPrivateKey>> StoredVersion::ecdsa_private() const {
  return private_key<EcdsaPrivateKey>(is_ecdsa(algorithm_));
}

Result<std::shared_ptr<const EcdsaPublicKey>> StoredVersion::ecdsa_public() const {
  return public_form<EcdsaPublicKey, EcdsaPrivateKey>(is_ecdsa(algorithm_));
}

Result<> StoredKey::check_dates(Purpose purpose) const {
  if (!spec_.limits.has_dates()) return {};
  return keystore::check_dates(spec_.limits, purpose, shared_->config.wall_clock());
}

Result<> StoredKey::check_end() const {
  if (spec_.limits.not_after == 0) return {};
  const KeyLimits end{.not_after = spec_.limits.not_after};
  return keystore::check_dates(end, Purpose::kProtect, shared_->config.wall_clock());
}

Result<VersionRef> StoredKey::active() const {
  const std::lock_guard lock(mutex_);
  if (deleted()) return fail(Status::kKeyNotFound);
  const auto& newest = versions_.front();
  if (newest->state() != VersionState::kActive) return fail(Status::kWrongKeyUsage, "the key is retired");
  return newest;
}

std::vector<VersionRef> StoredKey::versions() const {
  const std::lock_guard lock(mutex_);
  if (deleted()) return {};
  return {versions_.begin(), versions_.end()};
}

StoredVersions StoredKey::stored_versions() const {
  const std::lock_guard lock(mutex_);
  return versions_;
}

void StoredKey::set_versions(StoredVersions versions) {
  const std::lock_guard lock(mutex_);
  for (const auto& old : versions_) {
    if (std::ranges::find(versions, old) == versions.end()) old->mark_deleted();
  }
  versions_ = std::move(versions);
  for (const auto& former : versions_ | std::views::drop(1)) former->supersede();
  if (deleted()) {
    for (const auto& version : versions_) version->mark_deleted();
  }
  change_count_.fetch_add(1, std::memory_order_release);
}

void StoredKey::retire() {
  const std::lock_guard lock(mutex_);
  for (const auto& version : versions_) version->retire();
  change_count_.fetch_add(1, std::memory_order_release);
}

void StoredKey::mark_deleted() {
  const std::lock_guard lock(mutex_);
  deleted_.store(true, std::memory_order_release);
  for (const auto& version : versions_) version->mark_deleted();
  change_count_.fetch_add(1, std::memory_order_release);
}

}  // namespace wvds::keystore
