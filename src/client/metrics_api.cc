#include <algorithm>
#include <cstring>
#include <numeric>

#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "protocol/metrics_messages.h"

using namespace wvds;
using namespace wvds::client;
using protocol::Operation;

namespace {

static_assert(WVDS_METRICS_NUM_LATENCIES == protocol::kLatencyBuckets);
static_assert(WVDS_LATENCY_LIMIT_NS(20) == protocol::latency_bound_ns(20));
static_assert(WVDS_METRICS_MAX_KEYS == protocol::kMaxMostUsedKeys);
static_assert(WVDS_NUM_USE_LEVELS == protocol::kUseLevels);
static_assert(WVDS_METRICS_NUM_STATUSES > static_cast<int>(kLastServiceStatus), "each status that travels is counted");

void describe(const protocol::OperationMetrics& operation, wvds_operation_metrics& out) {
  out.operation = operation.type;
  for (const protocol::StatusCount& count : operation.statuses) {
    out.num_requests += count.requests;
    const auto status = static_cast<size_t>(count.status);
    if (status < std::size(out.num_by_status)) out.num_by_status[status] = count.requests;
  }
  out.timed_ns = operation.latency_sum_ns;
  out.num_timed = std::accumulate(operation.latencies.begin(), operation.latencies.end(), uint64_t{0});
  std::ranges::copy(operation.latencies, out.num_by_latency);
}

void describe_lists(const protocol::MetricsAnswer& answer, wvds_metrics& out) {
  out.num_keys = static_cast<uint32_t>(answer.most_used_keys.size());
  std::ranges::transform(answer.most_used_keys, out.keys, [](const protocol::MostUsedKey& key) {
    return wvds_key_use_metrics{key.key_id, key.version, key.uses, key.use_limit};
  });
  const size_t num_operations = std::min(answer.operations.size(), std::size(out.operations));
  out.num_operations = static_cast<uint32_t>(num_operations);
  for (size_t i = 0; i < num_operations; ++i) describe(answer.operations[i], out.operations[i]);
}

void describe_sessions(const protocol::MetricsAnswer& answer, wvds_metrics& out) {
  out.num_sessions = answer.sessions;
  out.max_sessions = answer.session_limit;
  out.num_sessions_opened = answer.sessions_opened;
  out.num_refused_strangers = answer.refused_strangers;
  out.num_refused_service_limit = answer.refused_service_limit;
  out.num_refused_client_limit = answer.refused_client_limit;
  out.num_refused_not_ready = answer.refused_not_ready;
  out.num_wasted_wakeups = answer.wasted_wakeups;
  out.num_rate_limited = answer.rate_limited;
}

void describe_audit(const protocol::MetricsAnswer& answer, wvds_metrics& out) {
  out.audit_entry = answer.audit_entry;
  out.num_audit_lost = answer.audit_lost;
  std::memcpy(out.audit_hash, answer.audit_hash.data(), sizeof out.audit_hash);
}

void describe_keys(const protocol::MetricsAnswer& answer, wvds_metrics& out) {
  out.reservations_fail = answer.reservations_fail;
  out.locked_bytes = answer.locked_bytes;
  out.max_locked_bytes = answer.locked_bytes_limit;
  out.window_bytes = answer.window_bytes;
  out.max_window_bytes = answer.window_bytes_limit;
  out.num_session_keys = answer.session_keys;
  out.num_volatile_keys = answer.volatile_keys;
  out.num_persistent_keys = answer.persistent_keys;
  out.num_damaged_keys = answer.damaged_keys;
  std::ranges::copy(answer.use_levels, out.num_by_use_level);
}

void describe(const protocol::MetricsAnswer& answer, wvds_metrics& out) {
  out.epoch = answer.epoch;
  out.uptime_ms = answer.uptime_ms;
  out.fips_mode = static_cast<uint32_t>(answer.fips_mode);
  out.fips_state = static_cast<uint32_t>(answer.fips_state);
  out.memory_is_locked = answer.locked_memory ? 1 : 0;
  out.place = answer.place;
  out.num_warnings = answer.warnings;
  out.num_reloads = answer.reloads;
  out.num_failed_reloads = answer.failed_reloads;
  describe_sessions(answer, out);
  describe_audit(answer, out);
  describe_keys(answer, out);
  describe_lists(answer, out);
}

}  // namespace

wvds_status wvds_metrics_get(wvds_session* session, wvds_metrics* out) {
  clear(out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(require(out != nullptr));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kMetrics, 0));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::MetricsAnswer::decode(payload)));
    describe(answer, *out);
    return {};
  });
}
