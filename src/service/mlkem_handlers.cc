#include "service/mlkem_handlers.h"

#include "crypto/kdf.h"
#include "protocol/mlkem_messages.h"

namespace wvds::service {
namespace {

using crypto::KemDirection;

// EncapsulationKey is the key to encapsulate to: stored, or given in the request.
struct EncapsulationKey {
  Algorithm algorithm = Algorithm::kNone;
  std::shared_ptr<const crypto::MlKemPublicKey> key;
};

Result<EncapsulationKey> stored_encapsulation_key(RequestContext& context, uint32_t id) {
  WVDS_ASSIGN(key, usable_key(context, id, is_ml_kem, Usage::kEncapsulate));
  WVDS_ASSIGN(version, key->active());
  WVDS_ASSIGN(public_key, version->version().mlkem_public());
  return EncapsulationKey{key->key().spec().algorithm, std::move(public_key)};
}

Result<EncapsulationKey> encapsulation_key(RequestContext& context, uint32_t id, Algorithm algorithm,
                                           UntrustedBytes given) {
  if (id != 0) return stored_encapsulation_key(context, id);
  WVDS_ASSIGN(copy, context.scratch.copy_in(given));
  WVDS_ASSIGN(imported, crypto::MlKemPublicKey::import(context.state.library, algorithm, copy));
  return EncapsulationKey{algorithm, std::move(imported)};
}

struct Encapsulated {
  MutableBytes ciphertext;
  SharedSecret secret;
};

Result<Encapsulated> encapsulate(RequestContext& context, const EncapsulationKey& to) {
  Encapsulated out;
  WVDS_ASSIGN(ciphertext, context.scratch.take(algorithm_info(to.algorithm)->kem_ciphertext));
  out.ciphertext = ciphertext;
  WVDS_TRY(to.key->encapsulate(out.ciphertext, out.secret));
  return out;
}

// newest_version is what decapsulates: an ML-KEM key has one version, which a retired key keeps for what was sent
// before.
Result<CachedVersion*> newest_version(CachedKey& key) {
  if (key.versions().empty()) return fail(Status::kKeyNotFound);
  return &key.versions().front();
}

// decapsulate counts one use of the version, for a ciphertext that can be one of its key.
Result<> decapsulate(keystore::KeyVersion& version, const crypto::MlKemPrivateKey& key, Algorithm algorithm,
                     Bytes ciphertext, SharedSecret& secret) {
  if (ciphertext.size() != algorithm_info(algorithm)->kem_ciphertext)
    return fail(Status::kInvalidPayload, "ciphertext of another length than the algorithm's");
  WVDS_TRY(version.count_use());
  return key.decapsulate(ciphertext, secret);
}

// Agreement is what two sides agreed on, and how the keys from it are to be.
struct Agreement {
  SharedSecret secret;
  crypto::KemKeyInputs inputs;  // all but the direction
  Lifetime lifetime = Lifetime::kSession;
  bool replay_window = true;
};

// derive_key makes the key of one direction, for one use: either this side encrypts with it or it decrypts.
Result<uint32_t> derive_key(RequestContext& context, const Agreement& agreement, KemDirection direction, Usage usage) {
  crypto::KemKeyInputs inputs = agreement.inputs;
  inputs.direction = direction;
  WVDS_ASSIGN(secret, crypto::key_from_kem(context.state.library, agreement.secret, inputs));
  keystore::KeySpec spec;
  spec.algorithm = Algorithm::kAes256Gcm;
  spec.lifetime = agreement.lifetime;
  spec.usages = static_cast<Usages>(usage);
  spec.replay_window = agreement.replay_window;
  WVDS_ASSIGN(key,
              context.state.store->import_secret(context.principal.name(), context.session, spec, secret.expose()));
  return key->id();
}

struct DerivedKeys {
  uint32_t encrypt = 0;
  uint32_t decrypt = 0;
};

// derive_keys makes the key for `sending`, the direction in which this side encrypts, and the one for the other
// direction; each only where it is wanted. Both or none exist afterwards.
Result<DerivedKeys> derive_keys(RequestContext& context, const Agreement& agreement, KemDirection sending, bool encrypt,
                                bool decrypt) {
  const KemDirection receiving =
      sending == KemDirection::kToDecapsulator ? KemDirection::kToEncapsulator : KemDirection::kToDecapsulator;
  DerivedKeys keys;
  if (encrypt) {
    WVDS_ASSIGN(id, derive_key(context, agreement, sending, Usage::kEncrypt));
    keys.encrypt = id;
  }
  if (!decrypt) return keys;
  auto id = derive_key(context, agreement, receiving, Usage::kDecrypt);
  if (id) {
    keys.decrypt = *id;
    return keys;
  }
  if (keys.encrypt != 0)
    WVDS_TRY(context.state.store->remove(context.principal.name(), context.session, keys.encrypt, 0));
  return forward_error(id);
}

Lifetime lifetime_or_session(Lifetime lifetime) {
  return lifetime == Lifetime::kDefault ? Lifetime::kSession : lifetime;
}

}  // namespace

Result<size_t> handle_mlkem_keygen(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlKemKeygenRequest::decode(payload));
  keystore::KeySpec spec;
  spec.algorithm = request.algorithm;
  spec.lifetime = lifetime_or_session(request.lifetime);
  spec.usages = request.usages != 0 ? request.usages : Usage::kEncapsulate | Usage::kDecapsToKey;
  WVDS_ASSIGN(key, context.state.store->generate(context.principal.name(), context.session, spec));
  context.key_id = key->id();
  WVDS_ASSIGN(version, key->active());
  return protocol::encode_key_created_answer(key->id(), version->public_key(), answer);
}

Result<size_t> handle_mlkem_encaps(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlKemEncapsRequest::decode(payload));
  WVDS_ASSIGN(to, encapsulation_key(context, request.key_id, request.algorithm, request.encapsulation_key));
  WVDS_ASSIGN(made, encapsulate(context, to));
  return write_answer(answer, {made.secret.expose(), made.ciphertext});
}

Result<size_t> handle_mlkem_decaps(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlKemDecapsRequest::decode(payload));
  WVDS_ASSIGN(key, usable_key(context, request.key_id, is_ml_kem, Usage::kDecapsRaw));
  WVDS_ASSIGN(version, newest_version(*key));
  WVDS_ASSIGN(private_key, version->version().mlkem_private());
  WVDS_ASSIGN(ciphertext, context.scratch.copy_in(request.ciphertext));
  SharedSecret secret;
  WVDS_TRY(decapsulate(version->version(), *private_key, key->key().spec().algorithm, ciphertext, secret));
  return write_answer(answer, {secret.expose()});
}

Result<size_t> handle_mlkem_encaps_to_key(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlKemEncapsToKeyRequest::decode(payload));
  WVDS_ASSIGN(to, encapsulation_key(context, request.key_id, request.algorithm, request.encapsulation_key));
  WVDS_ASSIGN(kdf_context, context.scratch.copy_in(request.context));
  WVDS_ASSIGN(made, encapsulate(context, to));
  Agreement agreement;
  agreement.secret = std::move(made.secret);
  agreement.inputs.kem = to.algorithm;
  agreement.inputs.encapsulation_key = to.key->encapsulation_key();
  agreement.inputs.ciphertext = made.ciphertext;
  agreement.inputs.context = kdf_context;
  agreement.lifetime = lifetime_or_session(request.lifetime);
  agreement.replay_window = (request.flags & protocol::kReplayWindowOff) == 0;
  const bool duplex = (request.flags & protocol::kDuplex) != 0;
  WVDS_ASSIGN(keys, derive_keys(context, agreement, KemDirection::kToDecapsulator, true, duplex));
  context.key_id = keys.encrypt;
  return protocol::encode_derived_keys_answer(keys.encrypt, keys.decrypt, made.ciphertext, answer);
}

Result<size_t> handle_mlkem_decaps_to_key(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlKemDecapsToKeyRequest::decode(payload));
  WVDS_ASSIGN(key, usable_key(context, request.key_id, is_ml_kem, Usage::kDecapsToKey));
  const bool duplex = (request.flags & protocol::kDuplex) != 0;
  // A key of the other direction would protect new data.
  if (duplex) WVDS_TRY(key->key().check_dates(keystore::Purpose::kProtect));
  WVDS_ASSIGN(version, newest_version(*key));
  WVDS_ASSIGN(private_key, version->version().mlkem_private());
  WVDS_ASSIGN(ciphertext, context.scratch.copy_in(request.ciphertext));
  WVDS_ASSIGN(kdf_context, context.scratch.copy_in(request.context));
  Agreement agreement;
  WVDS_TRY(decapsulate(version->version(), *private_key, key->key().spec().algorithm, ciphertext, agreement.secret));
  agreement.inputs.kem = key->key().spec().algorithm;
  agreement.inputs.encapsulation_key = private_key->encapsulation_key();
  agreement.inputs.ciphertext = ciphertext;
  agreement.inputs.context = kdf_context;
  agreement.lifetime = lifetime_or_session(request.lifetime);
  agreement.replay_window = (request.flags & protocol::kReplayWindowOff) == 0;
  WVDS_ASSIGN(keys, derive_keys(context, agreement, KemDirection::kToEncapsulator, duplex, true));
  context.key_id = keys.decrypt;
  return protocol::encode_derived_keys_answer(keys.encrypt, keys.decrypt, {}, answer);
}

}  // namespace wvds::service
