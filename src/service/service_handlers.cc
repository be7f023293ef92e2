#include "service/service_handlers.h"

#include "platform/hardening.h"
#include "protocol/frame.h"
#include "protocol/service_messages.h"
#include "service/engine_text.h"

namespace wvds::service {
namespace {

bool is_memory_locked(const ServiceState& state) {
  return platform::memory_stays_in_ram() || state.library.memory_locked();
}

constexpr size_t kMaxWarnings = 64;  // so that the answer always fits

protocol::FipsMode wire_mode(config::Fips mode) {
  switch (mode) {
    case config::Fips::kOff: return protocol::FipsMode::kOff;
    case config::Fips::kPreferred: return protocol::FipsMode::kPreferred;
    case config::Fips::kRequired: return protocol::FipsMode::kRequired;
  }
  return protocol::FipsMode::kOff;
}

uint64_t uptime_ms(const ServiceState& state) {
  const Duration uptime = state.clock.now() - state.started;
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(uptime).count());
}

}  // namespace

protocol::FipsState wire_state(crypto::FipsState state) { return static_cast<protocol::FipsState>(state); }
static_assert(static_cast<int>(crypto::FipsState::kActive) == static_cast<int>(protocol::FipsState::kActive));
static_assert(static_cast<int>(crypto::FipsState::kUnavailable) == static_cast<int>(protocol::FipsState::kUnavailable));

std::vector<std::string> service_warnings(const ServiceState& state) {
  std::vector<std::string> warnings;
  if (state.library.fips_state() == crypto::FipsState::kUnavailable) {
    warnings.emplace_back("the FIPS provider is unavailable: the default provider serves");
  }
  if (!is_memory_locked(state)) {
    warnings.emplace_back(state.library.engines().empty()
                              ? "secrets are not in locked memory: they could be swapped out"
                              : "keys of an engine are in memory of its own: they could be swapped out");
  }
  for (const crypto::EngineInfo& engine : state.library.engines()) {
    if (state.config.fips.mode == config::Fips::kOff) continue;
    warnings.push_back(engine_algorithms(engine) + " by " + engine.title + ": outside FIPS");
  }
  for (const std::string& setting : state.pending_restart.settings()) {
    warnings.push_back("the configuration was changed in " + setting + ", which needs a restart");
  }
  for (std::string& warning : state.audit->warnings()) warnings.push_back(std::move(warning));
  for (std::string& warning : state.store->warnings()) warnings.push_back(std::move(warning));
  if (warnings.size() > kMaxWarnings) {
    const size_t left_out = warnings.size() - kMaxWarnings + 1;
    warnings.resize(kMaxWarnings - 1);
    warnings.push_back("and " + std::to_string(left_out) + " more");
  }
  return warnings;
}

// Not straight into the answer area: generators may read back what they wrote.
Result<size_t> handle_random(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::RandomRequest::decode(payload));
  WVDS_ASSIGN(bytes, context.scratch.take(request.length));
  WVDS_TRY(context.state.library.random(bytes));
  return write_answer(answer, {bytes});
}

Result<size_t> handle_ping(RequestContext&, UntrustedBytes payload, MutableBytes) {
  WVDS_TRY(protocol::decode_empty_request(payload));
  return 0;
}

protocol::StatusAnswer current_status(const ServiceState& state) {
  const keystore::KeyCounts keys = state.store->counts();
  protocol::StatusAnswer status;
  status.fips_mode = wire_mode(state.config.fips.mode);
  status.fips_state = wire_state(state.library.fips_state());
  status.locked_memory = is_memory_locked(state);
  status.place = static_cast<uint8_t>(state.store->place());
  status.epoch = state.epoch;
  status.uptime_ms = uptime_ms(state);
  status.sessions = state.sessions.load();
  status.session_limit = state.session_limit.load();
  status.persistent_keys = keys.persistent;
  status.memory_keys = keys.in_memory;
  status.service_version = state.version;
  status.library_version = state.library.version();
  status.provider = provider_text(state.library);
  status.warnings = service_warnings(state);
  return status;
}

Result<size_t> handle_status(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_TRY(protocol::decode_empty_request(payload));
  return current_status(context.state).encode(answer);
}

}  // namespace wvds::service
