// ML-DSA signatures: whole messages go to the service, which hashes them.

#include "ossl_provider/mldsa_signature.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "ossl_provider/dispatch.h"
#include "ossl_provider/signature.h"

namespace wvds::ossl_provider {
namespace {

constexpr size_t kMaxMessageSize = 65528;  // with the context string: what a request to sign holds
constexpr int kPure = 1;                   // message-encoding: FIPS 204, algorithm 2

struct MlDsaContext : SignatureBase {
  Octets context{};
  bool deterministic = false;
  bool is_mu = false;
  Octets message{};             // gathered by update
  Octets expected_signature{};  // for a verification in pieces
};

MlDsaContext& of(void* context) { return *static_cast<MlDsaContext*>(context); }

template <Demand demand>
void* new_context(void* provider_context, const char* properties) {
  auto& provider = *static_cast<ProviderContext*>(provider_context);
  std::unique_ptr<MlDsaContext> context;
  guard(provider.errors(), "newctx", [&]() -> Result<> {
    context.reset(new MlDsaContext{{provider, demand, own_properties(properties, demand == Demand::kFips)}});
    return {};
  });
  return context.release();
}

void free_context(void* context) { delete static_cast<MlDsaContext*>(context); }

void* duplicate(void* context) {
  std::unique_ptr<MlDsaContext> copy;
  guard(of(context).provider.errors(), "dupctx", [&]() -> Result<> {
    copy = std::make_unique<MlDsaContext>(of(context));
    return {};
  });
  return copy.release();
}

// ---- Parameters

Result<> take_octets(const OSSL_PARAM params[], const char* name, size_t most, Octets& out) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
  if (param == nullptr) return {};
  const void* octets = nullptr;
  size_t size = 0;
  if (OSSL_PARAM_get_octet_string_ptr(param, &octets, &size) != 1 || size > most)
    return fail(Status::kInvalidArgument, std::string(name) + " may have at most " + std::to_string(most) + " bytes");
  const auto* first = static_cast<const uint8_t*>(octets);
  out.assign(first, first + size);
  return {};
}

Result<> take_flag(const OSSL_PARAM params[], const char* name, bool& out) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
  int value = 0;
  if (param == nullptr) return {};
  if (OSSL_PARAM_get_int(param, &value) != 1) return fail(Status::kInvalidArgument, std::string(name) + " is a number");
  out = value != 0;
  return {};
}

// What would make another signature than was asked for is refused, not passed over.
Result<> refuse_others(const OSSL_PARAM params[]) {
  if (OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_TEST_ENTROPY) != nullptr)
    return fail(Status::kUnsupported, "the crypto service takes no random numbers from outside (test-entropy)");
  int encoding = kPure;
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING);
  if (param != nullptr && (OSSL_PARAM_get_int(param, &encoding) != 1 || encoding != kPure))
    return fail(Status::kUnsupported, "the crypto service signs messages encoded as FIPS 204 says, not raw ones");
  return {};
}

Result<> take_params(MlDsaContext& context, const OSSL_PARAM params[]) {
  if (params == nullptr) return {};
  WVDS_TRY(refuse_others(params));
  WVDS_TRY(take_octets(params, OSSL_SIGNATURE_PARAM_CONTEXT_STRING, WVDS_MLDSA_MAX_CONTEXT_SIZE, context.context));
  WVDS_TRY(
      take_octets(params, OSSL_SIGNATURE_PARAM_SIGNATURE, WVDS_MLDSA_MAX_SIGNATURE_SIZE, context.expected_signature));
  WVDS_TRY(take_flag(params, OSSL_SIGNATURE_PARAM_DETERMINISTIC, context.deterministic));
  return take_flag(params, OSSL_SIGNATURE_PARAM_MU, context.is_mu);
}

int set_params(void* context, const OSSL_PARAM params[]) {
  return guard(of(context).provider.errors(), "set_ctx_params", [&] { return take_params(of(context), params); });
}

const OSSL_PARAM* settable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_SIGNATURE, nullptr, 0),
                                       OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, nullptr),
                                       OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING, nullptr),
                                       OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MU, nullptr),
                                       OSSL_PARAM_END};
  return kParams;
}

int get_params(void* context, OSSL_PARAM params[]) {
  OSSL_PARAM* id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
  if (id == nullptr) return 1;
  if (!of(context).key) return 0;
  const OctetsView der = of(context).key->type->signature_id;
  return OSSL_PARAM_set_octet_string(id, der.data(), der.size());
}

const OSSL_PARAM* gettable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                       OSSL_PARAM_END};
  return kParams;
}

// ---- Operations

int start(void* context, void* keydata, const OSSL_PARAM params[], bool to_sign) {
  return guard(of(context).provider.errors(), "init", [&]() -> Result<> {
    WVDS_TRY(use_key(of(context), keydata, to_sign));
    of(context).message.clear();
    of(context).is_mu = false;
    return take_params(of(context), params);
  });
}

int start_signing(void* context, void* keydata, const OSSL_PARAM params[]) {
  return start(context, keydata, params, true);
}
int start_verifying(void* context, void* keydata, const OSSL_PARAM params[]) {
  return start(context, keydata, params, false);
}

bool has_digest(void* context, const char* digest) {
  if (digest == nullptr || *digest == '\0') return false;
  of(context).provider.errors().raise(Status::kInvalidArgument, "ML-DSA takes no digest: it hashes by itself", "init");
  return true;
}
int start_digest_signing(void* context, const char* digest, void* keydata, const OSSL_PARAM params[]) {
  return has_digest(context, digest) ? 0 : start(context, keydata, params, true);
}
int start_digest_verifying(void* context, const char* digest, void* keydata, const OSSL_PARAM params[]) {
  return has_digest(context, digest) ? 0 : start(context, keydata, params, false);
}

int update(void* context, const unsigned char* data, size_t size) {
  return guard(of(context).provider.errors(), "update", [&]() -> Result<> {
    Octets& message = of(context).message;
    if (size > kMaxMessageSize - message.size()) {
      return fail(Status::kPayloadTooLarge, "the message is too long: the crypto service signs at most " +
                                                std::to_string(kMaxMessageSize) +
                                                " bytes with ML-DSA, the context string included");
    }
    message.insert(message.end(), data, data + size);
    return {};
  });
}

uint32_t flags_of(const MlDsaContext& context) {
  return (context.deterministic ? WVDS_MLDSA_DETERMINISTIC : 0) | (context.is_mu ? WVDS_MLDSA_EXTERNAL_MU : 0);
}

int sign(void* context, unsigned char* out, size_t* out_len, size_t max_out, const unsigned char* message,
         size_t size) {
  const MlDsaContext& signer = of(context);
  return guard(signer.provider.errors(), "sign", [&] {
    return put_signature(signer, {out, out_len, max_out}, [&] {
      return signer.key->service->sign_message(view(message, size), signer.context, flags_of(signer), signer.demand);
    });
  });
}

int finish_signing(void* context, unsigned char* out, size_t* out_len, size_t max_out) {
  const Octets& message = of(context).message;
  return sign(context, out, out_len, max_out, message.data(), message.size());
}

int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* message,
           size_t size) {
  const MlDsaContext& verifier = of(context);
  return verdict(verifier.provider.errors(), [&] {
    return verify_message(verifier.own(), *verifier.key->type, verifier.public_key(), view(signature, signature_len),
                          view(message, size), verifier.context, verifier.is_mu);
  });
}

int finish_digest_verifying(void* context, const unsigned char* signature, size_t signature_len) {
  const Octets& message = of(context).message;
  return verify(context, signature, signature_len, message.data(), message.size());
}

int finish_verifying(void* context) {
  const Octets& signature = of(context).expected_signature;
  return finish_digest_verifying(context, signature.data(), signature.size());
}

template <Demand demand>
const std::array kFunctions{
    entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, new_context<demand>),
    entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, free_context),
    entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, duplicate),
    entry<OSSL_FUNC_signature_sign_message_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT, start_signing),
    entry<OSSL_FUNC_signature_sign_message_update_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_UPDATE, update),
    entry<OSSL_FUNC_signature_sign_message_final_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_FINAL, finish_signing),
    entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, sign),
    entry<OSSL_FUNC_signature_verify_message_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_INIT, start_verifying),
    entry<OSSL_FUNC_signature_verify_message_update_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_UPDATE, update),
    entry<OSSL_FUNC_signature_verify_message_final_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_FINAL, finish_verifying),
    entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, verify),
    entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start_digest_signing),
    entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, update),
    entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, finish_signing),
    entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, sign),
    entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT, start_digest_verifying),
    entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, update),
    entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, finish_digest_verifying),
    entry<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, verify),
    entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, set_params),
    entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, settable_params),
    entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, get_params),
    entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, gettable_params),
    kEnd};

}  // namespace

const OSSL_DISPATCH* mldsa_functions(bool fips) {
  return fips ? kFunctions<Demand::kFips>.data() : kFunctions<Demand::kNothing>.data();
}

}  // namespace wvds::ossl_provider
