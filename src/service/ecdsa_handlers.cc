#include "service/ecdsa_handlers.h"

#include "protocol/ecdsa_messages.h"
#include "service/verification.h"

namespace wvds::service {
namespace {

struct Ecdsa {
  using Request = protocol::EcdsaVerifyRequest;
  using PublicKey = crypto::EcdsaPublicKey;
  static constexpr auto kFits = is_ecdsa;

  // A message is hashed once, in place. A digest is copied: the algorithm reads it several times.
  struct Message {
    crypto::EcdsaOptions options;
    UntrustedBytes message;
  };

  static Result<Message> take_message(Scratch& scratch, const auto& request) {
    const bool is_digest = (request.flags & protocol::kEcdsaDigest) != 0;
    Message out{.options = {.hash = request.hash, .is_digest = is_digest}, .message = request.message};
    if (is_digest) {
      WVDS_ASSIGN(digest, scratch.copy_in(request.message));
      out.message = UntrustedBytes(digest);
    }
    return out;
  }

  static Result<> check_signature_length(Algorithm algorithm, UntrustedBytes signature) {
    if (!signature.empty() && signature.size() <= algorithm_info(algorithm)->signature) return {};
    return fail(Status::kInvalidPayload, "signature that is empty or longer than the algorithm's longest");
  }

  static auto public_key(const keystore::KeyVersion& version) { return version.ecdsa_public(); }
};

// may_sign: TLS and certificate requests sign with ECDSA as everybody does. A grant that fixes the context string is
// for messages of one purpose, and ECDSA has no context that could hold to it.
Result<> may_sign(RequestContext& context, const CachedKey& key) {
  if (!allows(key.usages(), Usage::kSign) && !allows(key.usages(), Usage::kTlsAndCsr))
    return fail(Status::kWrongKeyUsage);
  const bool fixes_context = !key.owned() && context.principal.fixed_context(key.key().id()) != nullptr;
  if (fixes_context) return fail(Status::kDenied, "the grant fixes a context string, which ECDSA has not");
  return {};
}

}  // namespace

Result<size_t> handle_ecdsa_sign(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::EcdsaSignRequest::decode(payload));
  WVDS_ASSIGN(key, key_of_type(context, request.key_id, is_ecdsa));
  WVDS_TRY(may_sign(context, *key));
  WVDS_TRY(key->key().check_dates(keystore::Purpose::kProtect));
  WVDS_ASSIGN(message, Ecdsa::take_message(context.scratch, request));
  WVDS_ASSIGN(version, key->active());
  WVDS_ASSIGN(private_key, version->version().ecdsa_private());
  WVDS_ASSIGN(signature, context.scratch.take(algorithm_info(key->key().spec().algorithm)->signature));
  WVDS_TRY(version->version().count_use());
  WVDS_ASSIGN(length, private_key->sign(message.options, message.message, signature));
  return write_answer(answer, {signature.first(length)});
}

Result<size_t> handle_ecdsa_verify(RequestContext& context, UntrustedBytes payload, MutableBytes) {
  return handle_verify<Ecdsa>(context, payload);
}

}  // namespace wvds::service
