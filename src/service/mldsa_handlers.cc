#include "service/mldsa_handlers.h"

#include <algorithm>
#include <array>

#include "protocol/mldsa_messages.h"

namespace wvds::service {
namespace {

// PrivateMessage is context and message as the signature algorithm gets them. A message is hashed once, in place. A mu
// is copied: the algorithm reads it several times, and two signatures of the same randomness over different mu give the
// key away.
struct PrivateMessage {
  crypto::MlDsaOptions options;
  UntrustedBytes message;
};

Result<PrivateMessage> take_message(Scratch& scratch, UntrustedBytes context, UntrustedBytes message, uint8_t flags) {
  PrivateMessage out;
  WVDS_ASSIGN(context_copy, scratch.copy_in(context));
  out.options.context = context_copy;
  out.options.deterministic = (flags & protocol::kMlDsaDeterministic) != 0;
  out.options.external_mu = (flags & protocol::kMlDsaExternalMu) != 0;
  out.message = message;
  if (out.options.external_mu) {
    WVDS_ASSIGN(mu, scratch.copy_in(message));
    out.message = UntrustedBytes(mu);
  }
  return out;
}

// may_sign: a key for TLS and CSRs signs as those do, with an empty context; a grant may fix the context, which a mu
// would bypass.
Result<> may_sign(RequestContext& context, const CachedKey& key, const crypto::MlDsaOptions& options) {
  const bool plain = !options.external_mu && options.context.empty();
  const Usage usage = options.external_mu ? Usage::kSignMu : Usage::kSign;
  if (!allows(key.usages(), usage) && !(plain && allows(key.usages(), Usage::kTlsAndCsr))) {
    return fail(Status::kWrongKeyUsage);
  }
  const std::string* fixed = key.owned() ? nullptr : context.principal.fixed_context(key.key().id());
  if (fixed == nullptr) return {};
  if (!options.external_mu && std::ranges::equal(options.context, as_bytes(*fixed))) return {};
  return fail(Status::kDenied, "the grant fixes another context string");
}

Result<> check_signature_length(Algorithm algorithm, UntrustedBytes signature) {
  if (signature.size() == algorithm_info(algorithm)->signature) return {};
  return fail(Status::kInvalidPayload, "signature of another length than the algorithm's");
}

Result<> verify_by_given_key(RequestContext& context, const protocol::MlDsaVerifyRequest& request,
                             const PrivateMessage& message, Bytes signature) {
  WVDS_ASSIGN(public_key, context.scratch.copy_in(request.public_key));
  WVDS_ASSIGN(key, crypto::MlDsaPublicKey::import(context.state.library, request.algorithm, public_key));
  return key->verify(message.options, message.message, signature);
}

// A signature may be by the newest version or by a retained one.
Result<> verify_by_stored_key(CachedKey& key, const PrivateMessage& message, Bytes signature) {
  for (CachedVersion& version : key.versions()) {
    WVDS_ASSIGN(public_key, version.version().mldsa_public());
    const Result<> verified = public_key->verify(message.options, message.message, signature);
    if (verified || verified.error().status != Status::kSignatureInvalid) return verified;
  }
  return fail(Status::kSignatureInvalid);
}

}  // namespace

Result<size_t> handle_mldsa_sign(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlDsaSignRequest::decode(payload));
  WVDS_ASSIGN(key, key_of_type(context, request.key_id, is_ml_dsa));
  WVDS_ASSIGN(message, take_message(context.scratch, request.context, request.message, request.flags));
  WVDS_TRY(may_sign(context, *key, message.options));
  WVDS_TRY(key->key().check_dates(keystore::Purpose::kProtect));
  WVDS_ASSIGN(version, key->active());
  WVDS_ASSIGN(private_key, version->version().mldsa_private());
  WVDS_ASSIGN(signature, context.scratch.take(algorithm_info(key->key().spec().algorithm)->signature));
  WVDS_TRY(version->version().count_use());
  WVDS_TRY(private_key->sign(message.options, message.message, signature));
  return write_answer(answer, {signature});
}

Result<size_t> handle_mldsa_verify(RequestContext& context, UntrustedBytes payload, MutableBytes) {
  WVDS_ASSIGN(request, protocol::MlDsaVerifyRequest::decode(payload));
  CachedKey* stored = nullptr;
  if (request.key_id != 0) {
    WVDS_ASSIGN(key, usable_key(context, request.key_id, is_ml_dsa, Usage::kVerify));
    stored = key;
  }
  WVDS_TRY(check_signature_length(stored == nullptr ? request.algorithm : stored->key().spec().algorithm,
                                  request.signature));
  WVDS_ASSIGN(message, take_message(context.scratch, request.context, request.message, request.flags));
  WVDS_ASSIGN(signature, context.scratch.copy_in(request.signature));
  WVDS_TRY(stored == nullptr ? verify_by_given_key(context, request, message, signature)
                             : verify_by_stored_key(*stored, message, signature));
  return 0;
}

}  // namespace wvds::service
