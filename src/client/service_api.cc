#include <algorithm>
#include <string_view>

#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/capability_messages.h"
#include "protocol/service_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_MAX_RANDOM_SIZE == protocol::kMaxRequestPayload);
static_assert(WVDS_AES_MAX_SIZE == protocol::kMaxAesSize &&
              WVDS_MLDSA_MAX_MESSAGE_SIZE == protocol::kMaxMlDsaMessageSize);
static_assert(WVDS_MAX_ALGORITHMS == protocol::kMaxListedAlgorithms &&
              sizeof(wvds_capability_list::operations) == protocol::kMaxListedOperations);
static_assert(WVDS_NONCES_COUNTER == static_cast<int>(protocol::NonceConstruction::kCounter) &&
              WVDS_NONCES_RANDOM == static_cast<int>(protocol::NonceConstruction::kRandom));
static_assert(WVDS_FIPS_MODE_OFF == static_cast<int>(protocol::FipsMode::kOff) &&
              WVDS_FIPS_MODE_PREFERRED == static_cast<int>(protocol::FipsMode::kPreferred) &&
              WVDS_FIPS_MODE_REQUIRED == static_cast<int>(protocol::FipsMode::kRequired));
static_assert(WVDS_FIPS_OFF == static_cast<int>(protocol::FipsState::kOff) &&
              WVDS_FIPS_ACTIVE == static_cast<int>(protocol::FipsState::kActive) &&
              WVDS_FIPS_UNAVAILABLE == static_cast<int>(protocol::FipsState::kUnavailable));

// add_line appends a line where it fits whole, with the final NUL.
void add_line(std::string_view line, MutableText out) {
  const std::string_view before = out.data();
  const size_t separator = before.empty() ? 0 : 1;
  if (before.size() + separator + line.size() + 1 > out.size()) return;
  char* end = out.data() + before.size();
  if (separator != 0) *end++ = '\n';
  *std::ranges::copy(line, end).out = '\0';
}

void describe(const protocol::StatusAnswer& answer, wvds_service_state& out) {
  out.fips_mode = static_cast<uint32_t>(answer.fips_mode);
  out.fips_state = static_cast<uint32_t>(answer.fips_state);
  out.memory_is_locked = answer.locked_memory ? 1 : 0;
  out.place = answer.place;
  out.epoch = answer.epoch;
  out.uptime_ms = answer.uptime_ms;
  out.num_sessions = answer.sessions;
  out.max_sessions = answer.session_limit;
  out.num_persistent_keys = answer.persistent_keys;
  out.num_memory_keys = answer.memory_keys;
  copy_text(answer.service_version, out.service_version);
  copy_text(answer.library_version, out.library_version);
  copy_text(answer.provider, out.provider);
  out.num_warnings = static_cast<uint32_t>(answer.warnings.size());
  for (const std::string& warning : answer.warnings) add_line(warning, out.warnings);
}

wvds_quota to_c(const protocol::Quota& quota) { return {quota.limit, quota.used}; }

wvds_algorithm_offer to_c(const protocol::AlgorithmOffer& offer) {
  wvds_algorithm_offer out{};
  out.algorithm = static_cast<wvds_algorithm>(offer.algorithm);
  out.is_inside_fips = (offer.flags & protocol::kAlgorithmInsideFips) != 0 ? 1 : 0;
  out.can_rotate = (offer.flags & protocol::kAlgorithmRotates) != 0 ? 1 : 0;
  out.can_be_inside_token = (offer.flags & protocol::kAlgorithmInsideToken) != 0 ? 1 : 0;
  out.possible_usages = offer.possible_usages;
  out.default_usages = offer.default_usages;
  out.import_formats = offer.formats;
  out.secret_size = offer.secret_size;
  out.public_key_size = offer.public_key_size;
  out.signature_size = offer.signature_size;
  out.ciphertext_size = offer.ciphertext_size;
  copy_text(offer.provider, out.provider);
  return out;
}

void describe_limits(const protocol::CapabilitiesAnswer& answer, wvds_capability_list& out) {
  out.requests_per_second = answer.requests_per_second;
  out.burst = answer.burst;
  out.cooldown_ms = answer.cooldown_ms;
  out.window_capacity = answer.window_capacity;
  out.use_limit = answer.use_limit;
  out.sessions = to_c(answer.sessions);
  out.session_keys = to_c(answer.session_keys);
  out.volatile_keys = to_c(answer.volatile_keys);
  out.persistent_keys = to_c(answer.persistent_keys);
  out.keys_per_minute = to_c(answer.keys_per_minute);
  out.store_bytes = to_c(answer.store_bytes);
  out.window_bytes = to_c(answer.window_bytes);
}

// The decoder has bounded both lists.
void describe(const protocol::CapabilitiesAnswer& answer, wvds_capability_list& out) {
  out.protocol_version = answer.protocol_version;
  out.fips_state = static_cast<uint32_t>(answer.fips_state);
  out.num_slots = answer.slots;
  out.max_request_payload = answer.max_request_payload;
  out.max_answer_payload = answer.max_answer_payload;
  out.max_aes_size = answer.max_aes_size;
  out.max_mldsa_message_size = answer.max_mldsa_message_size;
  out.max_random_size = answer.max_random_size;
  out.nonces = static_cast<uint32_t>(answer.nonces);
  out.max_key_versions = answer.max_key_versions;
  describe_limits(answer, out);
  out.num_operations = static_cast<uint32_t>(answer.operations.size());
  out.num_algorithms = static_cast<uint32_t>(answer.algorithms.size());
  std::ranges::copy(answer.operations, out.operations);
  std::ranges::transform(answer.algorithms, out.algorithms, [](const auto& offer) { return to_c(offer); });
}

}  // namespace

wvds_status wvds_random(wvds_session* session, uint8_t* out, size_t out_len) {
  FixedOutput output(out, out_len);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out_len != 0 && out_len <= WVDS_MAX_RANDOM_SIZE));
    WVDS_TRY(output.require_room(out_len));
    WVDS_ASSIGN(slot, live->acquire());
    const protocol::RandomRequest request{static_cast<uint32_t>(out_len)};
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kRandom, length));
    WVDS_TRY(require_of_service(answer.size() == out_len));
    WVDS_TRY(output.fill(answer));
    output.commit();
    return {};
  });
}

wvds_status wvds_ping(wvds_session* session) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(answer, live->exchange(slot, Operation::kPing, 0));
    return require_of_service(answer.empty());
  });
}

wvds_status wvds_status_get(wvds_session* session, wvds_service_state* out) {
  clear(out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out != nullptr));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kStatus, 0));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::StatusAnswer::decode(payload)));
    describe(answer, *out);
    return {};
  });
}

wvds_status wvds_capabilities(wvds_session* session, wvds_capability_list* out) {
  clear(out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out != nullptr));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kCapabilities, 0));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::CapabilitiesAnswer::decode(payload)));
    describe(answer, *out);
    return {};
  });
}
