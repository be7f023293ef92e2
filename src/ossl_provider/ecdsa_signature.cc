// ECDSA signatures: the program's own providers hash, the service signs the digest.

#include "ossl_provider/ecdsa_signature.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <array>
#include <optional>

#include "ossl_provider/dispatch.h"
#include "ossl_provider/signature.h"

namespace wvds::ossl_provider {
namespace {

constexpr const char* kDefaultHash = "SHA2-256";

struct EcdsaContext : SignatureBase {
  const HashType* hash = nullptr;
  std::optional<Digest> digest{};  // while a message is hashed

  Result<EcdsaContext> copy() const;
  void begin();
  Result<> take_params(const OSSL_PARAM params[]);
  Result<> take_digest_name(const OSSL_PARAM params[]);
  Result<> update(OctetsView data);
  Result<Octets> finish();
  Result<const HashType*> hash_for(size_t size) const;
  Result<Octets> sign(OctetsView data) const;
  Result<> verify(OctetsView signature, OctetsView data) const;
};

using Ecdsa = SignatureFunctions<EcdsaContext>;

Result<EcdsaContext> EcdsaContext::copy() const {
  EcdsaContext other{SignatureBase(*this), hash};
  if (digest) {
    WVDS_ASSIGN(copied, digest->copy());
    other.digest.emplace(std::move(copied));
  }
  return other;
}

void EcdsaContext::begin() {
  digest.reset();
  hash = nullptr;
}

// ---- Parameters

Result<> EcdsaContext::take_digest_name(const OSSL_PARAM params[]) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
  if (param == nullptr) return {};
  std::array<char, 64> name{};
  char* text = name.data();
  if (OSSL_PARAM_get_utf8_string(param, &text, name.size()) != 1)
    return fail(Status::kInvalidArgument, "the digest's name is too long");
  WVDS_ASSIGN(named, Digest::start(own(), text));
  if (digest && &digest->type() != &named.type())
    return fail(Status::kInvalidArgument, "the digest can't be changed while a message is hashed");
  hash = &named.type();
  return {};
}

// The service makes each signature with a random number of its own.
Result<> refuse_deterministic(const OSSL_PARAM params[]) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_NONCE_TYPE);
  unsigned type = 0;
  if (param == nullptr || (OSSL_PARAM_get_uint(param, &type) == 1 && type == 0)) return {};
  return fail(Status::kUnsupported, "the crypto service makes no deterministic ECDSA signatures (nonce-type)");
}

Result<> EcdsaContext::take_params(const OSSL_PARAM params[]) {
  if (params == nullptr) return {};
  WVDS_TRY(refuse_deterministic(params));
  return take_digest_name(params);
}

const OSSL_PARAM* ecdsa_settable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                       OSSL_PARAM_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, nullptr), OSSL_PARAM_END};
  return kParams;
}

int ecdsa_get_params(void* context, OSSL_PARAM params[]) {
  const HashType* hash = Ecdsa::of(context).hash;
  OSSL_PARAM* id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
  OSSL_PARAM* name = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST);
  OSSL_PARAM* size = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST_SIZE);
  if (id != nullptr &&
      (hash == nullptr || OSSL_PARAM_set_octet_string(id, hash->ecdsa_id.data(), hash->ecdsa_id.size()) != 1)) {
    return 0;
  }
  if (name != nullptr && OSSL_PARAM_set_utf8_string(name, hash == nullptr ? "" : hash->name) != 1) return 0;
  return size == nullptr ? 1 : OSSL_PARAM_set_size_t(size, hash == nullptr ? 0 : hash->size);
}

const OSSL_PARAM* ecdsa_gettable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                       OSSL_PARAM_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, nullptr), OSSL_PARAM_END};
  return kParams;
}

// ---- Operations

// hash_for is the hash that a digest is of: the one that was named, else the one of that size.
Result<const HashType*> EcdsaContext::hash_for(size_t size) const {
  const auto all = hash_types();
  const auto found = std::ranges::find(all, size, &HashType::size);
  const HashType* type = hash != nullptr ? hash : (found == all.end() ? nullptr : &*found);
  if (type != nullptr && type->size == size) return type;
  return fail(Status::kInvalidArgument,
              "a digest of " + std::to_string(size) + " bytes is none of " +
                  (type != nullptr ? std::string(type->name) : "SHA-256, SHA-384 or SHA-512, which ECDSA signs here"));
}

Result<Octets> EcdsaContext::sign(OctetsView data) const {
  WVDS_ASSIGN(type, hash_for(data.size()));
  return key->service->sign_digest(data, type->hash, demand);
}

Result<> EcdsaContext::verify(OctetsView signature, OctetsView data) const {
  return verify_digest(own(), *key->type, public_key(), signature, data, hash);
}

template <bool to_sign>
int start_message(void* context, const char* digest, void* keydata, const OSSL_PARAM params[]) {
  if (Ecdsa::start<to_sign>(context, keydata, params) != 1) return 0;
  EcdsaContext& hashing = Ecdsa::of(context);
  return guard(hashing.provider.errors(), "init", [&]() -> Result<> {
    const bool named = digest != nullptr && *digest != '\0';
    const char* otherwise = hashing.hash != nullptr ? hashing.hash->name : kDefaultHash;
    WVDS_ASSIGN(started, Digest::start(hashing.own(), named ? digest : otherwise));
    hashing.hash = &started.type();
    hashing.digest.emplace(std::move(started));
    return {};
  });
}

Result<> EcdsaContext::update(OctetsView data) {
  if (!digest) return fail(Status::kInvalidArgument, "no message was begun");
  return digest->update(data);
}

// finish ends the hashing; the context can't go on then.
Result<Octets> EcdsaContext::finish() {
  if (!digest) return fail(Status::kInvalidArgument, "no message was begun");
  Digest ending = std::move(*digest);
  digest.reset();
  return ending.finish();
}

template <Demand demand>
const std::array kEcdsaSigning{
    entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, Ecdsa::new_context<demand>),
    entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, Ecdsa::free_context),
    entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, Ecdsa::duplicate),
    entry<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT, Ecdsa::start<true>),
    entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, Ecdsa::sign),
    entry<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT, Ecdsa::start<false>),
    entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, Ecdsa::verify),
    entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start_message<true>),
    entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, Ecdsa::update),
    entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, Ecdsa::finish_signing),
    entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, start_message<false>),
    entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, Ecdsa::update),
    entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, Ecdsa::finish_verifying),
    entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, Ecdsa::set_params),
    entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, ecdsa_settable_params),
    entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, ecdsa_get_params),
    entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, ecdsa_gettable_params),
    kEnd};

}  // namespace

const OSSL_DISPATCH* ecdsa_functions(bool fips) {
  return fips ? kEcdsaSigning<Demand::kFips>.data() : kEcdsaSigning<Demand::kNothing>.data();
}

}  // namespace wvds::ossl_provider
