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
};

EcdsaContext& of(void* context) { return *static_cast<EcdsaContext*>(context); }

template <Demand demand>
void* new_context(void* provider_context, const char* properties) {
  auto& provider = *static_cast<ProviderContext*>(provider_context);
  std::unique_ptr<EcdsaContext> context;
  guard(provider.errors(), "newctx", [&]() -> Result<> {
    context.reset(new EcdsaContext{{provider, demand, own_properties(properties, demand == Demand::kFips)}});
    return {};
  });
  return context.release();
}

void free_context(void* context) { delete static_cast<EcdsaContext*>(context); }

void* duplicate(void* context) {
  const EcdsaContext& from = of(context);
  std::unique_ptr<EcdsaContext> copy;
  const int done = guard(from.provider.errors(), "dupctx", [&]() -> Result<> {
    copy.reset(new EcdsaContext{{from.provider, from.demand, from.properties, from.key}, from.hash});
    if (!from.digest) return {};
    WVDS_ASSIGN(digest, from.digest->copy());
    copy->digest.emplace(std::move(digest));
    return {};
  });
  return done == 1 ? copy.release() : nullptr;
}

// ---- Parameters

Result<> take_digest_name(EcdsaContext& context, const OSSL_PARAM params[]) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST);
  if (param == nullptr) return {};
  std::array<char, 64> name{};
  char* text = name.data();
  if (OSSL_PARAM_get_utf8_string(param, &text, name.size()) != 1)
    return fail(Status::kInvalidArgument, "the digest's name is too long");
  WVDS_ASSIGN(digest, Digest::start(context.own(), text));
  if (context.digest && &context.digest->type() != &digest.type())
    return fail(Status::kInvalidArgument, "the digest can't be changed while a message is hashed");
  context.hash = &digest.type();
  return {};
}

// The service makes each signature with a random number of its own.
Result<> refuse_deterministic(const OSSL_PARAM params[]) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_NONCE_TYPE);
  unsigned type = 0;
  if (param == nullptr || (OSSL_PARAM_get_uint(param, &type) == 1 && type == 0)) return {};
  return fail(Status::kUnsupported, "the crypto service makes no deterministic ECDSA signatures (nonce-type)");
}

Result<> take_params(EcdsaContext& context, const OSSL_PARAM params[]) {
  if (params == nullptr) return {};
  WVDS_TRY(refuse_deterministic(params));
  return take_digest_name(context, params);
}

int set_params(void* context, const OSSL_PARAM params[]) {
  return guard(of(context).provider.errors(), "set_ctx_params", [&] { return take_params(of(context), params); });
}

const OSSL_PARAM* settable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                       OSSL_PARAM_uint(OSSL_SIGNATURE_PARAM_NONCE_TYPE, nullptr), OSSL_PARAM_END};
  return kParams;
}

int get_params(void* context, OSSL_PARAM params[]) {
  const HashType* hash = of(context).hash;
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

const OSSL_PARAM* gettable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                       OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, nullptr, 0),
                                       OSSL_PARAM_size_t(OSSL_SIGNATURE_PARAM_DIGEST_SIZE, nullptr), OSSL_PARAM_END};
  return kParams;
}

// ---- Of a digest

int start(void* context, void* keydata, const OSSL_PARAM params[], bool to_sign) {
  return guard(of(context).provider.errors(), "init", [&]() -> Result<> {
    WVDS_TRY(use_key(of(context), keydata, to_sign));
    of(context).digest.reset();
    of(context).hash = nullptr;
    return take_params(of(context), params);
  });
}
int start_signing(void* context, void* keydata, const OSSL_PARAM params[]) {
  return start(context, keydata, params, true);
}
int start_verifying(void* context, void* keydata, const OSSL_PARAM params[]) {
  return start(context, keydata, params, false);
}

// hash_for is the hash that a digest is of: the one that was named, else the one of that size.
Result<const HashType*> hash_for(const EcdsaContext& context, size_t size) {
  const auto all = hash_types();
  const auto found = std::ranges::find(all, size, &HashType::size);
  const HashType* hash = context.hash != nullptr ? context.hash : (found == all.end() ? nullptr : &*found);
  if (hash != nullptr && hash->size == size) return hash;
  return fail(Status::kInvalidArgument,
              "a digest of " + std::to_string(size) + " bytes is none of " +
                  (hash != nullptr ? std::string(hash->name) : "SHA-256, SHA-384 or SHA-512, which ECDSA signs here"));
}

int sign(void* context, unsigned char* out, size_t* out_len, size_t max_out, const unsigned char* digest, size_t size) {
  const EcdsaContext& signer = of(context);
  return guard(signer.provider.errors(), "sign", [&] {
    return put_signature(signer, {out, out_len, max_out}, [&]() -> Result<Octets> {
      WVDS_ASSIGN(hash, hash_for(signer, size));
      return signer.key->service->sign_digest(view(digest, size), hash->hash, signer.demand);
    });
  });
}

int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* digest,
           size_t size) {
  const EcdsaContext& verifier = of(context);
  return verdict(verifier.provider.errors(), [&] {
    return verify_digest(verifier.own(), *verifier.key->type, verifier.public_key(), view(signature, signature_len),
                         view(digest, size), verifier.hash);
  });
}

// ---- Of a message

int start_message(void* context, const char* digest, void* keydata, const OSSL_PARAM params[], bool to_sign) {
  if (start(context, keydata, params, to_sign) != 1) return 0;
  return guard(of(context).provider.errors(), "init", [&]() -> Result<> {
    EcdsaContext& hashing = of(context);
    const bool named = digest != nullptr && *digest != '\0';
    const char* otherwise = hashing.hash != nullptr ? hashing.hash->name : kDefaultHash;
    WVDS_ASSIGN(started, Digest::start(hashing.own(), named ? digest : otherwise));
    hashing.hash = &started.type();
    hashing.digest.emplace(std::move(started));
    return {};
  });
}
int start_digest_signing(void* context, const char* digest, void* keydata, const OSSL_PARAM params[]) {
  return start_message(context, digest, keydata, params, true);
}
int start_digest_verifying(void* context, const char* digest, void* keydata, const OSSL_PARAM params[]) {
  return start_message(context, digest, keydata, params, false);
}

int update(void* context, const unsigned char* data, size_t size) {
  return guard(of(context).provider.errors(), "update", [&]() -> Result<> {
    if (!of(context).digest) return fail(Status::kInvalidArgument, "no message was begun");
    return of(context).digest->update(view(data, size));
  });
}

// digest_of ends the hashing; the context can't go on then.
Result<Octets> digest_of(EcdsaContext& context) {
  if (!context.digest) return fail(Status::kInvalidArgument, "no message was begun");
  Digest digest = std::move(*context.digest);
  context.digest.reset();
  return digest.finish();
}

int finish_signing(void* context, unsigned char* out, size_t* out_len, size_t max_out) {
  EcdsaContext& signer = of(context);
  return guard(signer.provider.errors(), "sign", [&] {
    return put_signature(signer, {out, out_len, max_out}, [&]() -> Result<Octets> {
      WVDS_ASSIGN(digest, digest_of(signer));
      return signer.key->service->sign_digest(digest, signer.hash->hash, signer.demand);
    });
  });
}

int finish_verifying(void* context, const unsigned char* signature, size_t signature_len) {
  EcdsaContext& verifier = of(context);
  return verdict(verifier.provider.errors(), [&]() -> Result<> {
    WVDS_ASSIGN(digest, digest_of(verifier));
    return verify_digest(verifier.own(), *verifier.key->type, verifier.public_key(), view(signature, signature_len),
                         digest, verifier.hash);
  });
}

template <Demand demand>
const std::array kFunctions{
    entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_context<demand>),
    entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_context),
    entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
    entry<OSSL_FUNC_signature_sign_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_INIT, start_signing),
    entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, sign),
    entry<OSSL_FUNC_signature_verify_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_INIT, start_verifying),
    entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, verify),
    entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start_digest_signing),
    entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
    entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finish_signing),
    entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, start_digest_verifying),
    entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, update),
    entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, finish_verifying),
    entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
    entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_params),
    entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_params),
    entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_params),
    kEnd};

}  // namespace

const OSSL_DISPATCH* ecdsa_functions(bool fips) {
  return fips ? kFunctions<Demand::kFips>.data() : kFunctions<Demand::kNothing>.data();
}

}  // namespace wvds::ossl_provider
