#include <utility>

#include "base/log.h"
#include "keystore/store.h"

// New keys.
namespace wvds::keystore {
namespace {

constexpr Usages kPublicUsages = Usage::kVerify | Usage::kEncapsulate;

Result<> check_inside(const KeySpec& spec, SecretForm form) {
  if (form != SecretForm::kInToken)
    return fail(Status::kUnsupported, "keys inside a token are made there, not imported");
  if (!is_post_quantum(spec.algorithm))
    return fail(Status::kUnsupported, "only ML-DSA and ML-KEM keys can be made inside a token");
  if (spec.lifetime != Lifetime::kPersistent)
    return fail(Status::kInvalidPayload, "a key inside a token is persistent");
  if (allows(spec.usages, Usage::kSignMu))
    return fail(Status::kUnsupported, "a key inside a token signs no external mu (PKCS#11 3.2 has no way)");
  return {};
}

Result<> check_spec(const KeySpec& spec, SecretForm form) {
  if (!usages_are_valid(spec.algorithm, spec.usages))
    return fail(Status::kInvalidPayload, "usages that don't fit the algorithm");
  if (form == SecretForm::kPublicOnly && (spec.usages & ~kPublicUsages) != 0) {
    return fail(Status::kInvalidPayload, "a public key only verifies or encapsulates");
  }
  if (!limits_are_sound(spec.limits)) return fail(Status::kInvalidPayload, "limits that make no sense");
  if (spec.limits.max_uses != 0 && !uses_secret(spec.usages))
    return fail(Status::kInvalidPayload, "max_uses for a key that does not encrypt, sign or decapsulate");
  if (!is_label(spec.label)) return fail(Status::kInvalidPayload, "a label that is too long or no text");
  if (spec.lifetime != Lifetime::kSession && spec.lifetime != Lifetime::kVolatile &&
      spec.lifetime != Lifetime::kPersistent) {
    return fail(Status::kInvalidPayload, "no lifetime");
  }
  return spec.inside_token ? check_inside(spec, form) : Result<>();
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
  const SecretForm form = spec.inside_token ? SecretForm::kInToken : SecretForm::kSealed;
  return make_key(owner, session, spec, form, [&] {
    if (spec.lifetime != Lifetime::kPersistent) return pool_.take(spec.algorithm);
    return material_of(spec);
  });
}

// material_of makes a stored key's next version.
Result<Material> Store::material_of(const KeySpec& spec) {
  if (spec.inside_token) return token_material(shared_->library, shared_->token_keys.get(), spec.algorithm);
  return new_material(shared_->library, shared_->expanded, spec.algorithm);
}

// give_up removes from the token what was made there and could not be stored. Where that fails too, or the service ends
// in between, a key stays in the token that nothing refers to: that does no harm, while removing at the next start
// whatever no record names would destroy the newer keys of a store that was put back from a backup.
void Store::give_up(Bytes token_key_id) {
  if (const auto gone = shared_->token_keys->destroy(token_key_id); !gone)
    log_warning("a key that could not be stored stays in the token", {{"cause", gone.error().detail}});
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
    if (spec.inside_token) return store_inside(owner, spec, std::move(material));
    if (spec.lifetime == Lifetime::kPersistent) return store_new(owner, spec, std::move(material));
    return keep_new(owner, session, spec, std::move(material));
  }();
  if (!key) owner->release(holding);
  return key;
}

Result<std::shared_ptr<StoredVersion>> Store::new_version(const Owner& owner, const KeySpec& spec, uint32_t number,
                                                          Material material) {
  StoredVersion::Parts parts{
      .number = number, .state = VersionState::kActive, .material = std::move(material), .counter = nullptr, .uses = 0};
  if (const uint64_t limit = use_limit_of(spec, shared_->config); limit != 0) {
    const bool stored = spec.lifetime == Lifetime::kPersistent;
    parts.counter = stored ? std::make_shared<UseCounter>(0, first_grant_of(spec, shared_->config), limit, bell_,
                                                          largest_block_of(spec.limits))
                           : std::make_shared<UseCounter>(0, limit, limit, nullptr);
  }
  return StoredVersion::make(shared_, owner, spec, std::move(parts));
}

Result<KeyRef> Store::store_inside(const Owner& owner, const KeySpec& spec, Material material) {
  const Bytes secret = material.secret.expose();
  const std::vector<std::byte> id(secret.begin(), secret.end());
  auto key = store_new(owner, spec, std::move(material));
  if (!key) give_up(id);
  return key;
}

// Everything that can fail comes before the record is written, so that a key is durable exactly when it is
// acknowledged.
Result<KeyRef> Store::store_new(const Owner& owner, const KeySpec& spec, Material material) {
  const SecretForm form = material.form();
  RecordFields record = first_record(owner->name(), spec, form, first_grant_of(spec, shared_->config), &material);
  const Holding holding = holding_of(owner->name(), spec, form);
  WVDS_ASSIGN(version, new_version(owner, spec, 1, std::move(material)));
  const std::lock_guard lock(changes_);
  WVDS_ASSIGN(id, take_stored_id());
  record.id = id;
  auto key =
      std::make_shared<StoredKey>(shared_, id, owner, spec, place_of(spec), StoredVersions{version}, Extensions{});
  WVDS_TRY(files_->write_record(record, version->secret()));
  insert(id, {.owner = owner,
              .lifetime = spec.lifetime,
              .session = 0,
              .key = key,
              .generation = record.generation,
              .bytes = static_cast<uint32_t>(holding.store_bytes),
              .counted_version = version->number(),
              .counter = version->counter(),
              .limits = spec.limits,
              .damage = {}});
  note_key_change();
  return key;
}

Result<KeyRef> Store::keep_new(const Owner& owner, SessionId session, const KeySpec& spec, Material material) {
  WVDS_ASSIGN(version, new_version(owner, spec, 1, std::move(material)));
  WVDS_ASSIGN(id, take_memory_id());
  auto key = std::make_shared<StoredKey>(shared_, id, owner, spec, Place::kMemory, StoredVersions{std::move(version)},
                                         Extensions{});
  Entry entry{};
  entry.owner = owner;
  entry.lifetime = spec.lifetime;
  entry.session = spec.lifetime == Lifetime::kSession ? session : 0;
  entry.key = key;
  insert(id, std::move(entry));
  return key;
}

}  // namespace wvds::keystore
