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

  Result<MlDsaContext> copy() const { return *this; }
  void begin();
  Result<> take_params(const OSSL_PARAM params[]);
  Result<> update(OctetsView data);
  Result<Octets> finish() { return message; }
  Result<Octets> sign(OctetsView data) const;
  Result<> verify(OctetsView signature, OctetsView data) const;
};

using MlDsa = SignatureFunctions<MlDsaContext>;

void MlDsaContext::begin() {
  message.clear();
  is_mu = false;
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

Result<> MlDsaContext::take_params(const OSSL_PARAM params[]) {
  if (params == nullptr) return {};
  WVDS_TRY(refuse_others(params));
  WVDS_TRY(take_octets(params, OSSL_SIGNATURE_PARAM_CONTEXT_STRING, WVDS_MLDSA_MAX_CONTEXT_SIZE, context));
  WVDS_TRY(take_octets(params, OSSL_SIGNATURE_PARAM_SIGNATURE, WVDS_MLDSA_MAX_SIGNATURE_SIZE, expected_signature));
  WVDS_TRY(take_flag(params, OSSL_SIGNATURE_PARAM_DETERMINISTIC, deterministic));
  return take_flag(params, OSSL_SIGNATURE_PARAM_MU, is_mu);
}

const OSSL_PARAM* mldsa_settable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, nullptr, 0),
                                       OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_SIGNATURE, nullptr, 0),
                                       OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, nullptr),
                                       OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MESSAGE_ENCODING, nullptr),
                                       OSSL_PARAM_int(OSSL_SIGNATURE_PARAM_MU, nullptr),
                                       OSSL_PARAM_END};
  return kParams;
}

int mldsa_get_params(void* context, OSSL_PARAM params[]) {
  OSSL_PARAM* id = OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID);
  if (id == nullptr) return 1;
  const SharedKey& key = MlDsa::of(context).key;
  if (!key) return 0;
  const OctetsView der = key->type->signature_id;
  return OSSL_PARAM_set_octet_string(id, der.data(), der.size());
}

const OSSL_PARAM* mldsa_gettable_params(void*, void*) {
  static const OSSL_PARAM kParams[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, nullptr, 0),
                                       OSSL_PARAM_END};
  return kParams;
}

// ---- Operations

template <bool to_sign>
int start_without_digest(void* context, const char* digest, void* keydata, const OSSL_PARAM params[]) {
  if (digest == nullptr || *digest == '\0') return MlDsa::start<to_sign>(context, keydata, params);
  const ErrorQueue& errors = MlDsa::of(context).provider.errors();
  errors.raise(Status::kInvalidArgument, "ML-DSA takes no digest: it hashes by itself", "init");
  return 0;
}

Result<> MlDsaContext::update(OctetsView data) {
  if (data.size() > kMaxMessageSize - message.size()) {
    return fail(Status::kPayloadTooLarge, "the message is too long: the crypto service signs at most " +
                                              std::to_string(kMaxMessageSize) +
                                              " bytes with ML-DSA, the context string included");
  }
  message.insert(message.end(), data.begin(), data.end());
  return {};
}

Result<Octets> MlDsaContext::sign(OctetsView data) const {
  const uint32_t flags = (deterministic ? WVDS_MLDSA_DETERMINISTIC : 0) | (is_mu ? WVDS_MLDSA_EXTERNAL_MU : 0);
  return key->service->sign_message(data, context, flags, demand);
}

Result<> MlDsaContext::verify(OctetsView signature, OctetsView data) const {
  return verify_message(own(), *key->type, public_key(), signature, data, context, is_mu);
}

int finish_verifying_expected(void* context) {
  const Octets& signature = MlDsa::of(context).expected_signature;
  return MlDsa::finish_verifying(context, signature.data(), signature.size());
}

template <Demand demand>
const std::array kMlDsaSigning{
    entry<OSSL_FUNC_signature_newctx_fn>(OSSL_FUNC_SIGNATURE_NEWCTX, MlDsa::new_context<demand>),
    entry<OSSL_FUNC_signature_freectx_fn>(OSSL_FUNC_SIGNATURE_FREECTX, MlDsa::free_context),
    entry<OSSL_FUNC_signature_dupctx_fn>(OSSL_FUNC_SIGNATURE_DUPCTX, MlDsa::duplicate),
    entry<OSSL_FUNC_signature_sign_message_init_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_INIT, MlDsa::start<true>),
    entry<OSSL_FUNC_signature_sign_message_update_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_UPDATE, MlDsa::update),
    entry<OSSL_FUNC_signature_sign_message_final_fn>(OSSL_FUNC_SIGNATURE_SIGN_MESSAGE_FINAL, MlDsa::finish_signing),
    entry<OSSL_FUNC_signature_sign_fn>(OSSL_FUNC_SIGNATURE_SIGN, MlDsa::sign),
    entry<OSSL_FUNC_signature_verify_message_init_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_INIT, MlDsa::start<false>),
    entry<OSSL_FUNC_signature_verify_message_update_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_UPDATE, MlDsa::update),
    entry<OSSL_FUNC_signature_verify_message_final_fn>(OSSL_FUNC_SIGNATURE_VERIFY_MESSAGE_FINAL,
                                                       finish_verifying_expected),
    entry<OSSL_FUNC_signature_verify_fn>(OSSL_FUNC_SIGNATURE_VERIFY, MlDsa::verify),
    entry<OSSL_FUNC_signature_digest_sign_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, start_without_digest<true>),
    entry<OSSL_FUNC_signature_digest_sign_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_UPDATE, MlDsa::update),
    entry<OSSL_FUNC_signature_digest_sign_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_FINAL, MlDsa::finish_signing),
    entry<OSSL_FUNC_signature_digest_sign_fn>(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, MlDsa::sign),
    entry<OSSL_FUNC_signature_digest_verify_init_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_INIT,
                                                     start_without_digest<false>),
    entry<OSSL_FUNC_signature_digest_verify_update_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_UPDATE, MlDsa::update),
    entry<OSSL_FUNC_signature_digest_verify_final_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY_FINAL, MlDsa::finish_verifying),
    entry<OSSL_FUNC_signature_digest_verify_fn>(OSSL_FUNC_SIGNATURE_DIGEST_VERIFY, MlDsa::verify),
    entry<OSSL_FUNC_signature_set_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, MlDsa::set_params),
    entry<OSSL_FUNC_signature_settable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, mldsa_settable_params),
    entry<OSSL_FUNC_signature_get_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GET_CTX_PARAMS, mldsa_get_params),
    entry<OSSL_FUNC_signature_gettable_ctx_params_fn>(OSSL_FUNC_SIGNATURE_GETTABLE_CTX_PARAMS, mldsa_gettable_params),
    kEnd};

}  // namespace

const OSSL_DISPATCH* mldsa_functions(bool fips) {
  return fips ? kMlDsaSigning<Demand::kFips>.data() : kMlDsaSigning<Demand::kNothing>.data();
}

}  // namespace wvds::ossl_provider
