#include "service/key_handlers.h"

#include "protocol/key_messages.h"
#include "protocol/mlkem_messages.h"

namespace wvds::service {
namespace {

constexpr size_t kMaxKeyMaterial = 16 << 10;  // the longest is a PKCS#8 with an expanded ML-DSA-87 key, some 8 KB

Usages default_usages(Algorithm algorithm, protocol::KeyFormat format) {
  if (format != protocol::KeyFormat::kPublic) return algorithm_info(algorithm)->default_usages;
  return static_cast<Usages>(signs(algorithm) ? Usage::kVerify : Usage::kEncapsulate);
}

keystore::KeySpec spec_of(const protocol::KeyTemplate& key, Usages usages) {
  keystore::KeySpec spec;
  spec.algorithm = key.algorithm;
  spec.lifetime = key.lifetime == Lifetime::kDefault ? Lifetime::kPersistent : key.lifetime;
  spec.usages = key.usages != 0 ? key.usages : usages;
  spec.replay_window = (key.flags & protocol::kKeyFlagReplayWindowOff) == 0;
  spec.inside_token = (key.flags & protocol::kKeyFlagInsideToken) != 0;
  spec.label = key.label;
  spec.limits = key.limits;
  return spec;
}

Result<size_t> answer_created(RequestContext& context, const keystore::Key& key, MutableBytes answer) {
  context.key_id = key.id();
  WVDS_ASSIGN(version, key.active());
  return protocol::encode_key_created_answer(key.id(), version->public_key(), answer);
}

Result<crypto::LockedBytes> copy_material(UntrustedBytes material) {
  if (material.empty() || material.size() > kMaxKeyMaterial)
    return fail(Status::kInvalidPayload, "key material of no known size");
  WVDS_ASSIGN(copy, crypto::LockedBytes::of_size(material.size()));
  material.copy_to(copy.expose_for_writing());
  return copy;
}

Result<keystore::KeyRef> import_secret(RequestContext& context, const keystore::KeySpec& spec, Bytes secret) {
  if (secret.size() != algorithm_info(spec.algorithm)->secret)
    return fail(Status::kInvalidPayload, "secret of another length than the algorithm's");
  return context.state.store->import_secret(context.principal.name(), context.session, spec, secret);
}

Result<keystore::KeyRef> import_public(RequestContext& context, const keystore::KeySpec& spec, Bytes public_key) {
  const size_t length = algorithm_info(spec.algorithm)->public_key;
  if (length == 0 || public_key.size() != length)
    return fail(Status::kInvalidPayload, "public key of another length than the algorithm's");
  return context.state.store->import_public(context.principal.name(), context.session, spec, public_key);
}

Result<crypto::LockedBytes> secret_from_pkcs8(const crypto::Library& library, Algorithm algorithm, Bytes der) {
  return is_ecdsa(algorithm) ? crypto::scalar_from_pkcs8(library, algorithm, der)
                             : crypto::seed_from_pkcs8(library, algorithm, der);
}

// import_material takes each format only for the algorithms that have it.
Result<keystore::KeyRef> import_material(RequestContext& context, const keystore::KeySpec& spec,
                                         protocol::KeyFormat format, Bytes material) {
  switch (format) {
    case protocol::KeyFormat::kRaw:
      if (!is_post_quantum(spec.algorithm)) return import_secret(context, spec, material);
      break;
    case protocol::KeyFormat::kSeed:
      if (is_post_quantum(spec.algorithm)) return import_secret(context, spec, material);
      break;
    case protocol::KeyFormat::kPkcs8: {
      if (is_aes(spec.algorithm)) break;
      WVDS_ASSIGN(secret, secret_from_pkcs8(context.state.library, spec.algorithm, material));
      return import_secret(context, spec, secret.expose());
    }
    case protocol::KeyFormat::kPublic: return import_public(context, spec, material);
  }
  return fail(Status::kInvalidPayload, "a format that the algorithm does not have");
}

Result<keystore::KeyAccess> find_key(RequestContext& context, uint32_t id) {
  context.key_id = id;
  return context.state.store->find(context.principal.name(), context.session, id);
}

Result<keystore::VersionRef> find_version(const keystore::Key& key, uint32_t number) {
  for (keystore::VersionRef& version : key.versions()) {
    if (number == 0 || version->number() == number) return std::move(version);
  }
  return fail(Status::kKeyNotFound, "no such version");
}

protocol::KeyVersionInfo info_of(const keystore::KeyVersion& version) {
  protocol::KeyVersionInfo info;
  info.number = version.number();
  info.state = static_cast<protocol::KeyVersionState>(version.state());
  info.uses = version.uses();
  info.use_limit = version.use_limit();
  if (const keystore::NonceWindow* window = version.window(); window != nullptr) {
    info.window_used = window->used();
    info.window_capacity = window->capacity();
  }
  return info;
}

protocol::KeyListEntry entry_of(const keystore::KeyAccess& access) {
  const keystore::KeySpec& spec = access.key->spec();
  protocol::KeyListEntry entry;
  entry.key_id = access.key->id();
  entry.algorithm = spec.algorithm;
  entry.lifetime = spec.lifetime;
  entry.usages = access.usages;
  entry.versions = static_cast<uint16_t>(access.key->versions().size());
  entry.label = spec.label;
  return entry;
}

// rotation_status: the store says of a public key, as of a retired one, that it was not made for this use. A public key
// is one of the wrong type here: it has no secret that could be made anew.
Status rotation_status(Status status, const keystore::Key& key) {
  return status == Status::kWrongKeyUsage && key.active() ? Status::kWrongKeyType : status;
}

uint8_t flags_of(const keystore::KeySpec& spec) {
  if (spec.inside_token) return protocol::kKeyFlagInsideToken;
  return is_aes(spec.algorithm) && !spec.replay_window ? protocol::kKeyFlagReplayWindowOff : 0;
}

}  // namespace

Result<size_t> handle_key_generate(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::KeyGenerateRequest::decode(payload));
  const keystore::KeySpec spec = spec_of(request.key, algorithm_info(request.key.algorithm)->default_usages);
  WVDS_ASSIGN(key, context.state.store->generate(context.principal.name(), context.session, spec));
  return answer_created(context, *key, answer);
}

Result<size_t> handle_key_import(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::KeyImportRequest::decode(payload));
  WVDS_ASSIGN(material, copy_material(request.material));
  const keystore::KeySpec spec = spec_of(request.key, default_usages(request.key.algorithm, request.format));
  WVDS_ASSIGN(key, import_material(context, spec, request.format, material.expose()));
  return answer_created(context, *key, answer);
}

Result<size_t> handle_key_public(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::KeyVersionRequest::decode(payload));
  WVDS_ASSIGN(access, find_key(context, request.key_id));
  if (is_aes(access.key->spec().algorithm)) return fail(Status::kWrongKeyType);
  WVDS_ASSIGN(version, find_version(*access.key, request.version));
  return write_answer(answer, {version->public_key()});
}

Result<size_t> handle_key_list(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::KeyIdRequest::decode(payload));
  WVDS_ASSIGN(found, context.state.store->list(context.principal.name(), context.session, request.key_id,
                                               protocol::kMaxKeyListEntries + 1));
  protocol::KeyListAnswer list;
  list.more = found.size() > protocol::kMaxKeyListEntries;
  if (list.more) found.pop_back();
  for (const keystore::KeyAccess& access : found) list.entries.push_back(entry_of(access));
  return list.encode(answer);
}

Result<size_t> handle_key_info(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::KeyIdRequest::decode(payload));
  WVDS_ASSIGN(access, find_key(context, request.key_id));
  const keystore::KeySpec& spec = access.key->spec();
  protocol::KeyInfoAnswer info;
  info.key_id = access.key->id();
  info.algorithm = spec.algorithm;
  info.lifetime = spec.lifetime;
  info.usages = access.usages;
  info.flags = flags_of(spec);
  info.place = static_cast<protocol::KeyPlace>(access.key->place());
  info.owner = access.key->owner();
  info.label = spec.label;
  crypto::Serving serving = context.state.library.serving(spec.algorithm);
  info.inside_fips = serving.inside_fips;
  info.provider = std::move(serving.provider);
  if (spec.inside_token) {
    info.provider = "PKCS#11 token";
    info.inside_fips = false;
  }
  info.limits = spec.limits;
  for (const keystore::VersionRef& version : access.key->versions()) info.versions.push_back(info_of(*version));
  return info.encode(answer);
}

Result<size_t> handle_key_rotate(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::KeyIdRequest::decode(payload));
  WVDS_ASSIGN(access, find_key(context, request.key_id));
  // An ML-KEM ciphertext does not tell which version it is for: a new version would make all former ciphertexts
  // useless.
  if (access.owned && is_ml_kem(access.key->spec().algorithm)) return fail(Status::kWrongKeyType);
  auto version = context.state.store->rotate(context.principal.name(), context.session, request.key_id);
  if (!version) return fail(rotation_status(version.error().status, *access.key), version.error().detail);
  return protocol::encode_key_rotate_answer((*version)->number(), (*version)->public_key(), answer);
}

Result<size_t> handle_key_retire(RequestContext& context, UntrustedBytes payload, MutableBytes) {
  WVDS_ASSIGN(request, protocol::KeyIdRequest::decode(payload));
  context.key_id = request.key_id;
  WVDS_TRY(context.state.store->retire(context.principal.name(), context.session, request.key_id));
  return 0;
}

Result<size_t> handle_key_delete(RequestContext& context, UntrustedBytes payload, MutableBytes) {
  WVDS_ASSIGN(request, protocol::KeyVersionRequest::decode(payload));
  context.key_id = request.key_id;
  WVDS_TRY(context.state.store->remove(context.principal.name(), context.session, request.key_id, request.version));
  context.state.guards.key_deleted();
  return 0;
}

}  // namespace wvds::service
