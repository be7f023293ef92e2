#include "service/capability_handler.h"

#include "protocol/aes_messages.h"
#include "protocol/capability_messages.h"
#include "protocol/frame.h"
#include "protocol/key_messages.h"
#include "protocol/mldsa_messages.h"
#include "service/service_handlers.h"

namespace wvds::service {
namespace {

constexpr protocol::KeyFormats bit(protocol::KeyFormat format) {
  return static_cast<protocol::KeyFormats>(1u << (static_cast<unsigned>(format) - 1));
}

constexpr protocol::KeyFormats formats_of(Algorithm algorithm) {
  if (is_aes(algorithm)) return bit(protocol::KeyFormat::kRaw);
  const auto secret = is_post_quantum(algorithm) ? protocol::KeyFormat::kSeed : protocol::KeyFormat::kRaw;
  return bit(secret) | bit(protocol::KeyFormat::kPkcs8) | bit(protocol::KeyFormat::kPublic);
}

protocol::AlgorithmOffer offer_of(const AlgorithmInfo& info, const crypto::Serving& serving) {
  protocol::AlgorithmOffer offer;
  offer.algorithm = info.algorithm;
  if (serving.inside_fips) offer.flags |= protocol::kAlgorithmInsideFips;
  if (!is_ml_kem(info.algorithm)) offer.flags |= protocol::kAlgorithmRotates;
  offer.possible_usages = info.possible_usages;
  offer.default_usages = info.default_usages;
  offer.formats = formats_of(info.algorithm);
  offer.secret_size = static_cast<uint16_t>(info.secret);
  offer.public_key_size = static_cast<uint16_t>(info.public_key);
  offer.signature_size = static_cast<uint16_t>(info.signature);
  offer.ciphertext_size = static_cast<uint16_t>(info.kem_ciphertext);
  offer.provider = serving.provider;
  return offer;
}

void describe_service(const ServiceState& state, protocol::CapabilitiesAnswer& out) {
  out.protocol_version = protocol::kVersion;
  out.fips_state = wire_state(state.library.fips_state());
  out.slots = static_cast<uint16_t>(state.config.sessions.slots);
  out.max_request_payload = protocol::kMaxRequestPayload;
  out.max_answer_payload = protocol::kMaxAnswerPayload;
  out.max_aes_size = protocol::kMaxAesSize;
  out.max_mldsa_message_size = protocol::kMaxMlDsaMessageSize;
  out.max_random_size = protocol::kMaxRequestPayload;
  out.nonces = state.nonces() == crypto::NonceMode::kRandom ? protocol::NonceConstruction::kRandom
                                                            : protocol::NonceConstruction::kCounter;
  out.max_key_versions = protocol::kMaxKeyVersions;
  out.window_capacity = state.config.replay_window.capacity;
  out.use_limit = state.config.keys.use_limit;
  for (const AlgorithmInfo& info : algorithms()) {
    if (!state.library.has(info.algorithm)) continue;
    out.algorithms.push_back(offer_of(info, state.library.serving(info.algorithm)));
    if (state.store->offers_inside_token(info.algorithm))
      out.algorithms.back().flags |= protocol::kAlgorithmInsideToken;
  }
}

void describe_caller(const Principal& principal, const keystore::Holdings& held, protocol::CapabilitiesAnswer& out) {
  const config::Client& client = principal.client();
  out.requests_per_second = client.rate_limit.requests_per_second;
  out.burst = client.rate_limit.burst;
  out.cooldown_ms = client.rate_limit.cooldown_ms;
  out.sessions = {client.limits.sessions, principal.sessions()};
  out.session_keys = {client.limits.session_keys, held.session_keys};
  out.volatile_keys = {client.limits.volatile_keys, held.volatile_keys};
  out.persistent_keys = {client.limits.persistent_keys, held.persistent_keys};
  out.keys_per_minute = {client.limits.keys_per_minute, held.keys_of_minute};
  out.store_bytes = {client.limits.store_bytes, held.store_bytes};
  out.window_bytes = {client.limits.window_bytes, held.window_bytes};
  for (const protocol::OperationInfo& info : protocol::operations_of(protocol::Daemon::kCryptoService)) {
    if (principal.may(info.operation)) out.operations.push_back(static_cast<uint8_t>(info.operation));
  }
}

}  // namespace

Result<size_t> handle_capabilities(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_TRY(protocol::decode_empty_request(payload));
  WVDS_ASSIGN(held, context.state.store->holdings(context.principal.name()));
  protocol::CapabilitiesAnswer offer;
  describe_service(context.state, offer);
  describe_caller(context.principal, held, offer);
  return offer.encode(answer);
}

}  // namespace wvds::service
