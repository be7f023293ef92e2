#include <utility>

#include "keystore/store.h"

// New keys.
namespace wvds::keystore {
namespace {

constexpr Usages kPublicUsages = Usage::kVerify | Usage::kEncapsulate;

Result<> check_spec(const KeySpec& spec, SecretForm form) {
  if (!usages_are_valid(spec.algorithm, spec.usages))
    return fail(Status::kInvalidPayload, "usages that don't fit the algorithm");
  if (form == SecretForm::kPublicOnly && (spec.usages & ~kPublicUsages) != 0) {
    return fail(Status::kInvalidPayload, "a public key only verifies or encapsulates");
  }
  if (!is_label(spec.label)) return fail(Status::kInvalidPayload, "a label that is too long or no text");
  if (spec.lifetime != Lifetime::kSession && spec.lifetime != Lifetime::kVolatile &&
      spec.lifetime != Lifetime::kPersistent) {
    return fail(Status::kInvalidPayload, "no lifetime");
  }
  return {};
}

// first_record is what a new key's record says, but for its id; `material` may be null where only the size matters.
RecordFields first_record(const std::string& owner, const KeySpec& spec, SecretForm form, uint64_t uses,
                          const Material* material) {
  const size_t public_size = algorithm_info(spec.algorithm)->public_key;
  RecordVersion version{.number = 1, .state = VersionState::kActive, .form = form, .uses = uses, .public_key = {}};
  version.public_key = material != nullptr ? material->public_key : std::vector<std::byte>(public_size);
  return {.id = 0, .generation = 1, .spec = spec, .owner = owner, .versions = {std::move(version)}, .extensions = {}};
}

Holding holding_of(const std::string& owner, const KeySpec& spec, SecretForm form) {
  if (spec.lifetime != Lifetime::kPersistent) return {spec.lifetime, 0};
  const RecordFields record = first_record(owner, spec, form, 0, nullptr);
  return {spec.lifetime, blob_size(record.encode().size(), record.secret_size())};
}

}  // namespace

Result<KeyRef> Store::generate(std::string_view principal, SessionId session, const KeySpec& spec) {
  WVDS_ASSIGN(owner, configured(principal));
  return make_key(owner, session, spec, SecretForm::kSealed, [&] {
    if (spec.lifetime != Lifetime::kPersistent) return pool_.take(spec.algorithm);
    return new_material(shared_->library, shared_->expanded, spec.algorithm);
  });
}

Result<KeyRef> Store::import_secret(std::string_view principal, SessionId session, const KeySpec& spec, Bytes secret) {
  WVDS_ASSIGN(owner, configured(principal));
  return make_key(owner, session, spec, SecretForm::kSealed,
                  [&] { return secret_material(shared_->library, shared_->expanded, spec.algorithm, secret); });
}

Result<KeyRef> Store::import_public(std::string_view principal, SessionId session, const KeySpec& spec,
                                    Bytes public_key) {
  WVDS_ASSIGN(owner, configured(principal));
  return make_key(owner, session, spec, SecretForm::kPublicOnly,
                  [&] { return public_material(shared_->library, spec.algorithm, public_key); });
}

// Limits come before the cryptography: a principal at its limit costs nothing.
Result<KeyRef> Store::make_key(const Owner& owner, SessionId session, const KeySpec& spec, SecretForm form,
                               const std::function<Result<Material>()>& make_material) {
  WVDS_TRY(check_spec(spec, form));
  WVDS_TRY(owner->take_from_rate(options_.now()));
  const Holding holding = holding_of(owner->name(), spec, form);
  WVDS_TRY(owner->admit(holding));
  auto key = [&]() -> Result<KeyRef> {
    WVDS_ASSIGN(material, make_material());
    if (spec.lifetime == Lifetime::kPersistent) return store_new(owner, spec, std::move(material));
    return keep_new(owner, session, spec, std::move(material));
  }();
  if (!key) owner->release(holding);
  return key;
}

Result<std::shared_ptr<StoredVersion>> Store::new_version(const Owner& owner, const KeySpec& spec, uint32_t number,
                                                          Material material) {
  const StoreConfig& config = shared_->config;
  StoredVersion::Parts parts{
      .number = number, .state = VersionState::kActive, .material = std::move(material), .counter = nullptr, .uses = 0};
  if (uses_are_counted(spec)) {
    const bool stored = spec.lifetime == Lifetime::kPersistent;
    parts.counter = std::make_shared<UseCounter>(0, stored ? first_grant() : config.use_limit, config.use_limit,
                                                 stored ? bell_ : nullptr);
  }
  return StoredVersion::make(shared_, owner, spec, std::move(parts));
}

// Everything that can fail comes before the record is written, so that a key is durable exactly when it is
// acknowledged.
Result<KeyRef> Store::store_new(const Owner& owner, const KeySpec& spec, Material material) {
  const SecretForm form = material.form();
  RecordFields record = first_record(owner->name(), spec, form, uses_are_counted(spec) ? first_grant() : 0, &material);
  const Holding holding = holding_of(owner->name(), spec, form);
  WVDS_ASSIGN(version, new_version(owner, spec, 1, std::move(material)));
  const std::lock_guard lock(changes_);
  WVDS_ASSIGN(id, take_stored_id());
  record.id = id;
  auto key = std::make_shared<StoredKey>(id, owner, spec, place_, StoredVersions{version}, Extensions{});
  WVDS_TRY(files_->write_record(record, version->secret()));
  insert(id, {.owner = owner,
              .lifetime = spec.lifetime,
              .session = 0,
              .key = key,
              .generation = record.generation,
              .bytes = static_cast<uint32_t>(holding.store_bytes),
              .counted_version = version->number(),
              .counter = version->counter(),
              .damage = {}});
  bell_->note_change();
  return key;
}

Result<KeyRef> Store::keep_new(const Owner& owner, SessionId session, const KeySpec& spec, Material material) {
  WVDS_ASSIGN(version, new_version(owner, spec, 1, std::move(material)));
  WVDS_ASSIGN(id, take_memory_id());
  auto key =
      std::make_shared<StoredKey>(id, owner, spec, Place::kMemory, StoredVersions{std::move(version)}, Extensions{});
  Entry entry{};
  entry.owner = owner;
  entry.lifetime = spec.lifetime;
  entry.session = spec.lifetime == Lifetime::kSession ? session : 0;
  entry.key = key;
  insert(id, std::move(entry));
  return key;
}

}  // namespace wvds::keystore
