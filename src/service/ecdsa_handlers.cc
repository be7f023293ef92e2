#include "service/ecdsa_handlers.h"

#include "protocol/ecdsa_messages.h"

namespace wvds::service {
namespace {

// PrivateMessage is the message as the signature algorithm gets it. A message is hashed once, in place. A digest is
// copied: the algorithm reads it several times.
struct PrivateMessage {
  crypto::EcdsaOptions options;
  UntrustedBytes message;
};

Result<PrivateMessage> take_message(Scratch& scratch, UntrustedBytes message, Hash hash, uint8_t flags) {
  PrivateMessage out{.options = {.hash = hash, .is_digest = (flags & protocol::kEcdsaDigest) != 0}, .message = message};
  if (out.options.is_digest) {
    WVDS_ASSIGN(digest, scratch.copy_in(message));
    out.message = UntrustedBytes(digest);
  }
  return out;
}

// may_sign: TLS and certificate requests sign with ECDSA as everybody does. A grant that fixes the context string is
// for messages of one purpose, and ECDSA has no context that could hold to it.
Result<> may_sign(RequestContext& context, const CachedKey& key) {
  if (!allows(key.usages(), Usage::kSign) && !allows(key.usages(), Usage::kTlsAndCsr))
    return fail(Status::kWrongKeyUsage);
  const bool fixes_context = !key.owned() && context.principal.fixed_context(key.key().id()) != nullptr;
  if (fixes_context) return fail(Status::kDenied, "the grant fixes a context string, which ECDSA has not");
  return {};
}

Result<> check_signature_length(Algorithm algorithm, UntrustedBytes signature) {
  if (!signature.empty() && signature.size() <= algorithm_info(algorithm)->signature) return {};
  return fail(Status::kInvalidPayload, "signature that is empty or longer than the algorithm's longest");
}

Result<> verify_by_given_key(RequestContext& context, const protocol::EcdsaVerifyRequest& request,
                             const PrivateMessage& message, Bytes signature) {
  WVDS_ASSIGN(public_key, context.scratch.copy_in(request.public_key));
  WVDS_ASSIGN(key, crypto::EcdsaPublicKey::import(context.state.library, request.algorithm, public_key));
  return key->verify(message.options, message.message, signature);
}

// A signature may be by the newest version or by a retained one.
Result<> verify_by_stored_key(CachedKey& key, const PrivateMessage& message, Bytes signature) {
  for (CachedVersion& version : key.versions()) {
    WVDS_ASSIGN(public_key, version.version().ecdsa_public());
    const Result<> verified = public_key->verify(message.options, message.message, signature);
    if (verified || verified.error().status != Status::kSignatureInvalid) return verified;
  }
  return fail(Status::kSignatureInvalid);
}

}  // namespace

Result<size_t> handle_ecdsa_sign(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::EcdsaSignRequest::decode(payload));
  WVDS_ASSIGN(key, key_of_type(context, request.key_id, is_ecdsa));
  WVDS_TRY(may_sign(context, *key));
  WVDS_TRY(key->key().check_dates(keystore::Purpose::kProtect));
  WVDS_ASSIGN(message, take_message(context.scratch, request.message, request.hash, request.flags));
  WVDS_ASSIGN(version, key->active());
  WVDS_ASSIGN(private_key, version->version().ecdsa_private());
  WVDS_ASSIGN(signature, context.scratch.take(algorithm_info(key->key().spec().algorithm)->signature));
  WVDS_TRY(version->version().count_use());
  WVDS_ASSIGN(length, private_key->sign(message.options, message.message, signature));
  return write_answer(answer, {signature.first(length)});
}

Result<size_t> handle_ecdsa_verify(RequestContext& context, UntrustedBytes payload, MutableBytes) {
  WVDS_ASSIGN(request, protocol::EcdsaVerifyRequest::decode(payload));
  CachedKey* stored = nullptr;
  if (request.key_id != 0) {
    WVDS_ASSIGN(key, usable_key(context, request.key_id, is_ecdsa, Usage::kVerify));
    stored = key;
  }
  WVDS_TRY(check_signature_length(stored == nullptr ? request.algorithm : stored->key().spec().algorithm,
                                  request.signature));
  WVDS_ASSIGN(message, take_message(context.scratch, request.message, request.hash, request.flags));
  WVDS_ASSIGN(signature, context.scratch.copy_in(request.signature));
  WVDS_TRY(stored == nullptr ? verify_by_given_key(context, request, message, signature)
                             : verify_by_stored_key(*stored, message, signature));
  return 0;
}

}  // namespace wvds::service
