#include "keystore/tpm/tpm_protector.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "crypto/kdf.h"
#include "keystore/format.h"
#include "keystore/key_wrap.h"
#include "keystore/tpm/auth_value.h"
#include "keystore/tpm/tpm_counter.h"
#include "keystore/tpm/tpm_error.h"
#include "keystore/tpm/tpm_key.h"
#include "keystore/tpm/tpm_pcrs.h"

namespace wvds::keystore {
namespace {

using crypto::Library;
using crypto::LockedBytes;

constexpr size_t kDigestSize = 32;
constexpr size_t kSealedSize = kAesKeySize + kDigestSize;

std::unexpected<Error> changed_header() {
  return fail(Status::kStorageError,
              "the store's header for protector tpm was changed: put it back from its other copy or from a backup");
}

// SealedContent is what the TPM keeps: the key-encryption key and the hash of the header around it.
Result<LockedBytes> sealed_content(const Library& library, Bytes key, const TpmHeader& header) {
  WVDS_ASSIGN(digest, crypto::sha256(library, header.bound_part()));
  WVDS_ASSIGN(out, LockedBytes::of_size(kSealedSize));
  Writer writer(out.expose_for_writing());
  writer.bytes(key);
  writer.bytes(digest);
  WVDS_TRY(writer.finish());
  return out;
}

Result<LockedBytes> key_in(const Library& library, const LockedBytes& content, const TpmHeader& header) {
  if (content.size() != kSealedSize) return changed_header();
  WVDS_ASSIGN(digest, crypto::sha256(library, header.bound_part()));
  if (!crypto::equal_constant_time(content.expose().last(kDigestSize), digest)) return changed_header();
  return LockedBytes::copy_of(content.expose().first(kAesKeySize));
}

Result<StorageKey> first_storage_key(const TpmConnection& tpm, const std::vector<PrimaryKind>& kinds) {
  for (const PrimaryKind kind : kinds) {
    auto key = make_storage_key(tpm, kind);
    if (key || key.error().status != Status::kUnsupported) return key;
  }
  return fail(Status::kStorageError, "the TPM makes neither ECC P-256 nor RSA 2048 storage keys: it can't be used");
}

class TpmProtector final : public Protector {
 public:
  explicit TpmProtector(TpmSettings settings)
      : settings_(std::move(settings)), auth_(std::move(settings_.auth), settings_.auth_when_missing) {}

  Place place() const override { return Place::kTpm; }

  Result<LockedBytes> create(const Library& library, std::vector<std::byte>& header) override {
    WVDS_ASSIGN(tpm, TpmConnection::open(settings_.tcti));
    WVDS_ASSIGN(auth, auth_.read_or_make(library));
    WVDS_ASSIGN(storage_key, first_storage_key(tpm, settings_.primaries));
    TpmHeader fields{.primary = storage_key.kind, .primary_name = storage_key.name, .policy = {}, .counter = {}};
    WVDS_TRY(fill_policy(tpm, storage_key, fields.policy));
    WVDS_TRY(fill_counter(library, tpm, storage_key, auth, fields.counter));
    WVDS_ASSIGN(key, LockedBytes::of_size(kAesKeySize));
    WVDS_TRY(library.random_secret(key.expose_for_writing()));
    WVDS_TRY(seal_key(library, tpm, storage_key, key, auth, fields));
    header = fields.encode();
    use_counter_of(fields);
    return key;
  }

  Result<LockedBytes> unlock(const Library& library, Bytes header) override {
    WVDS_ASSIGN(fields, TpmHeader::decode(header));
    WVDS_ASSIGN(tpm, TpmConnection::open(settings_.tcti));
    const SealedObject object{fields.object_public, fields.object_private};
    WVDS_TRY(check_object(library, tpm, fields, object));
    WVDS_ASSIGN(auth, auth_.read());
    WVDS_ASSIGN(storage_key, same_storage_key(tpm, fields.primary, fields.primary_name));
    WVDS_ASSIGN(content, unseal_with_policy(tpm, storage_key, fields, object, auth));
    WVDS_ASSIGN(key, key_in(library, content, fields));
    use_counter_of(fields);
    warn_of_other_settings(fields);
    return key;
  }

  RollbackCounter* rollback_counter() override { return counter_.get(); }

 private:
  Result<> fill_policy(const TpmConnection& tpm, const StorageKey& storage_key, PcrPolicy& policy) const {
    for (const uint32_t pcr : settings_.pcrs) policy.pcrs |= 1u << pcr;
    if (!policy.is_set()) return {};
    policy.bank = settings_.pcr_bank;
    WVDS_TRY(check_bank(tpm, policy.bank));
    WVDS_ASSIGN(values, read_pcrs(tpm, storage_key, policy));
    policy.values = std::move(values);
    return {};
  }

  Result<> fill_counter(const Library& library, const TpmConnection& tpm, const StorageKey& storage_key,
                        const LockedBytes& auth, CounterFields& counter) const {
    if (!settings_.rollback_nv_index) return {};
    counter.nv_index = *settings_.rollback_nv_index;
    WVDS_TRY(library.random(counter.binding));
    WVDS_ASSIGN(first, TpmCounter::prepare(tpm, storage_key, counter.nv_index, auth.expose()));
    counter.first = first;
    return {};
  }

  Result<> seal_key(const Library& library, const TpmConnection& tpm, const StorageKey& storage_key,
                    const LockedBytes& key, const LockedBytes& auth, TpmHeader& fields) const {
    WVDS_ASSIGN(content, sealed_content(library, key.expose(), fields));
    WVDS_ASSIGN(policy, policy_digest(library, fields.policy));
    WVDS_ASSIGN(object,
                seal(tpm, storage_key, content.expose(), auth.expose(), {std::move(policy), settings_.limits_guesses}));
    fields.object_public = std::move(object.public_part);
    fields.object_private = std::move(object.private_part);
    return {};
  }

  // The values of the PCRs in the header lead to the object's policy, unless one or the other was changed.
  static Result<> check_object(const Library& library, const TpmConnection& tpm, const TpmHeader& fields,
                               const SealedObject& object) {
    WVDS_ASSIGN(policy, policy_of(tpm.tss(), object));
    WVDS_ASSIGN(expected, policy_digest(library, fields.policy));
    if (policy != expected) return changed_header();
    return {};
  }

  static Result<LockedBytes> unseal_with_policy(const TpmConnection& tpm, const StorageKey& storage_key,
                                                const TpmHeader& fields, const SealedObject& object,
                                                const LockedBytes& auth) {
    WVDS_ASSIGN(loaded, load_sealed(tpm, storage_key, object));
    const bool has_policy = fields.policy.is_set();
    WVDS_ASSIGN(session,
                start_session(tpm, storage_key.handle.get(), has_policy ? SessionKind::kPolicy : SessionKind::kHmac));
    if (has_policy) {
      WVDS_TRY(check_bank(tpm, fields.policy.bank));
      WVDS_TRY(meet_policy(tpm, session, fields.policy));
    }
    WVDS_ASSIGN(unsealed, unseal(tpm, loaded, session, auth.expose()));
    if (has_policy && tpm_code(unsealed.code) == TPM2_RC_POLICY_FAIL)
      return wrong_pcrs(tpm, storage_key, fields.policy);
    WVDS_TRY(tpm.check(unsealed.code, "unseal the key-encryption key"));
    return std::move(unsealed.secret);
  }

  static std::unexpected<Error> wrong_pcrs(const TpmConnection& tpm, const StorageKey& storage_key,
                                           const PcrPolicy& policy) {
    std::string changed;
    if (const auto now = read_pcrs(tpm, storage_key, policy))
      changed = "; changed: " + pcr_list(policy.bank, changed_pcrs(policy, *now));
    return fail(Status::kStorageError,
                "the TPM does not give the key away, because this device was not started as it was when the store was "
                "made: the policy names " +
                    pcr_list(policy.bank, policy.numbers()) + changed +
                    " (0x99D). Start the former firmware and system again; or restore a backup here with wvds store "
                    "restore. Before the next update of either: wvds store migrate --to file, update, wvds store "
                    "migrate --to tpm");
  }

  void use_counter_of(const TpmHeader& fields) {
    counter_.reset();
    if (fields.counter.nv_index == 0) return;
    counter_ = std::make_unique<TpmCounter>(settings_.tcti, auth_, fields.primary, fields.primary_name, fields.counter);
  }

  void warn_of_other_settings(const TpmHeader& fields) const {
    std::vector<uint32_t> wanted = settings_.pcrs;
    std::ranges::sort(wanted);
    const bool other_pcrs =
        wanted != fields.policy.numbers() || (fields.policy.is_set() && settings_.pcr_bank != fields.policy.bank);
    const bool other_counter = settings_.rollback_nv_index.value_or(0) != fields.counter.nv_index;
    if (!other_pcrs && !other_counter) return;
    log_warning("the configuration asks for another TPM policy than the store was made with, which stays in force",
                {{"differs", other_pcrs ? other_counter ? "PCRs and rollback counter" : "PCRs" : "rollback counter"},
                 {"cure", "wvds store migrate --to tpm"}});
  }

  TpmSettings settings_;
  AuthValueFile auth_;
  std::unique_ptr<TpmCounter> counter_;
};

}  // namespace

Result<> check_tpm(const TpmSettings& settings) {
  WVDS_ASSIGN(tpm, TpmConnection::open(settings.tcti));
  WVDS_ASSIGN(storage_key, first_storage_key(tpm, settings.primaries));
  return settings.pcrs.empty() ? Result<>{} : check_bank(tpm, settings.pcr_bank);
}

std::unique_ptr<Protector> make_tpm_protector(TpmSettings settings) {
  return std::make_unique<TpmProtector>(std::move(settings));
}

}  // namespace wvds::keystore
