#include "service/mldsa_handlers.h"

#include <algorithm>

#include "protocol/mldsa_messages.h"
#include "service/verification.h"

namespace wvds::service {
namespace {

struct MlDsa {
  using Request = protocol::MlDsaVerifyRequest;
  using PublicKey = crypto::MlDsaPublicKey;
  static constexpr auto kFits = is_ml_dsa;

  // A message is hashed once, in place. A mu is copied: the algorithm reads it several times, and two signatures of the
  // same randomness over different mu give the key away.
  struct Message {
    crypto::MlDsaOptions options;
    UntrustedBytes message;
  };

  static Result<Message> take_message(Scratch& scratch, const auto& request) {
    Message out;
    WVDS_ASSIGN(context_copy, scratch.copy_in(request.context));
    out.options.context = context_copy;
    out.options.deterministic = (request.flags & protocol::kMlDsaDeterministic) != 0;
    out.options.external_mu = (request.flags & protocol::kMlDsaExternalMu) != 0;
    out.message = request.message;
    if (out.options.external_mu) {
      WVDS_ASSIGN(mu, scratch.copy_in(request.message));
      out.message = UntrustedBytes(mu);
    }
    return out;
  }

  static Result<> check_signature_length(Algorithm algorithm, UntrustedBytes signature) {
    if (signature.size() == algorithm_info(algorithm)->signature) return {};
    return fail(Status::kInvalidPayload, "signature of another length than the algorithm's");
  }

  static auto public_key(const keystore::KeyVersion& version) { return version.mldsa_public(); }
};

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

}  // namespace

Result<size_t> handle_mldsa_sign(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::MlDsaSignRequest::decode(payload));
  WVDS_ASSIGN(key, key_of_type(context, request.key_id, is_ml_dsa));
  WVDS_ASSIGN(message, MlDsa::take_message(context.scratch, request));
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
  return handle_verify<MlDsa>(context, payload);
}

}  // namespace wvds::service
