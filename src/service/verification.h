#pragma once

#include "service/request_context.h"

// What the operations that verify signatures have in common. Scheme is the algorithm's own part:
//   Request          of protocol/, with key_id, algorithm, public_key and signature
//   PublicKey        of crypto/
//   kFits            tells of an algorithm whether its keys are of this scheme
//   check_signature_length(Algorithm, UntrustedBytes signature)
//   take_message(Scratch&, const Request&)     options and message as the signature algorithm gets them
//   public_key(const keystore::KeyVersion&)
namespace wvds::service {

template <class Scheme>
Result<> verify_by_given_key(RequestContext& context, const typename Scheme::Request& request, const auto& message,
                             Bytes signature) {
  WVDS_ASSIGN(public_key, context.scratch.copy_in(request.public_key));
  WVDS_ASSIGN(key, Scheme::PublicKey::import(context.state.library, request.algorithm, public_key));
  return key->verify(message.options, message.message, signature);
}

// A signature may be by the newest version or by a retained one.
template <class Scheme>
Result<> verify_by_stored_key(CachedKey& key, const auto& message, Bytes signature) {
  for (CachedVersion& version : key.versions()) {
    WVDS_ASSIGN(public_key, Scheme::public_key(version.version()));
    const Result<> verified = public_key->verify(message.options, message.message, signature);
    if (verified || verified.error().status != Status::kSignatureInvalid) return verified;
  }
  return fail(Status::kSignatureInvalid);
}

template <class Scheme>
Result<size_t> handle_verify(RequestContext& context, UntrustedBytes payload) {
  WVDS_ASSIGN(request, Scheme::Request::decode(payload));
  CachedKey* stored = nullptr;
  if (request.key_id != 0) {
    WVDS_ASSIGN(key, usable_key(context, request.key_id, Scheme::kFits, Usage::kVerify));
    stored = key;
  }
  WVDS_TRY(Scheme::check_signature_length(stored == nullptr ? request.algorithm : stored->key().spec().algorithm,
                                          request.signature));
  WVDS_ASSIGN(message, Scheme::take_message(context.scratch, request));
  WVDS_ASSIGN(signature, context.scratch.copy_in(request.signature));
  WVDS_TRY(stored == nullptr ? verify_by_given_key<Scheme>(context, request, message, signature)
                             : verify_by_stored_key<Scheme>(*stored, message, signature));
  return 0;
}

}  // namespace wvds::service
