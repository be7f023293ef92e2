#include "service/metrics_handler.h"

#include <algorithm>
#include <numeric>

#include "service/op_table.h"
#include "service/service_handlers.h"

namespace wvds::service {
namespace {

using protocol::MetricsAnswer;
using protocol::OperationMetrics;

static_assert(keystore::StoreMetrics::kMostUsed == protocol::kMaxMostUsedKeys);
static_assert(std::tuple_size_v<decltype(keystore::StoreMetrics::use_levels)> == protocol::kUseLevels);

void add_state(const ServiceState& state, MetricsAnswer& out) {
  const protocol::StatusAnswer status = current_status(state);
  out.epoch = status.epoch;
  out.uptime_ms = status.uptime_ms;
  out.fips_mode = status.fips_mode;
  out.fips_state = status.fips_state;
  out.locked_memory = status.locked_memory;
  out.place = status.place;
  out.sessions = status.sessions;
  out.session_limit = status.session_limit;
  out.warnings = static_cast<uint32_t>(status.warnings.size());
  const crypto::SecureHeap heap = state.library.secure_heap();
  out.locked_bytes = heap.used;
  out.locked_bytes_limit = heap.size;
}

void add_events(const Metrics& metrics, MetricsAnswer& out) {
  const auto refused = [&](Refusal reason) { return metrics.sessions_refused[static_cast<size_t>(reason)].load(); };
  out.sessions_opened = metrics.sessions_opened;
  out.refused_strangers = refused(Refusal::kStranger);
  out.refused_service_limit = refused(Refusal::kServiceLimit);
  out.refused_client_limit = refused(Refusal::kClientLimit);
  out.refused_not_ready = refused(Refusal::kNotReady);
  out.reloads = metrics.reloads;
  out.failed_reloads = metrics.failed_reloads;
}

void add_audit(const AuditState& audit, MetricsAnswer& out) {
  out.audit_entry = audit.head.number;
  out.audit_hash = audit.head.hash;
  out.audit_lost = audit.lost;
}

void add_keys(const keystore::StoreMetrics& store, MetricsAnswer& out) {
  out.window_bytes = store.window_bytes;
  out.window_bytes_limit = store.window_bytes_limit;
  out.session_keys = store.session_keys;
  out.volatile_keys = store.volatile_keys;
  out.persistent_keys = store.persistent_keys;
  out.damaged_keys = store.damaged_keys;
  out.use_levels = store.use_levels;
  out.reservations_fail = store.reservations_fail ? 1 : 0;
  for (const keystore::KeyUse& use : store.most_used)
    out.most_used_keys.push_back({use.key_id, use.version, use.uses, use.use_limit});
}

OperationMetrics operation_metrics(uint8_t type, const OperationTotals& totals) {
  OperationMetrics out{.type = type, .statuses = {}, .latency_sum_ns = totals.latency_sum_ns, .latencies = {}};
  for (size_t i = 0; i < totals.by_status.size(); ++i) {
    if (totals.by_status[i] != 0) out.statuses.push_back({static_cast<Status>(i), totals.by_status[i]});
  }
  out.latencies = totals.latencies;
  return out;
}

void add_requests(const Totals& totals, MetricsAnswer& out) {
  out.wasted_wakeups = totals.wasted_wakeups;
  for (size_t row = 0; row < totals.rows.size(); ++row) {
    const OperationTotals& counted = totals.rows[row];
    out.rate_limited += counted.by_status[static_cast<size_t>(Status::kRateLimited)];
    const uint8_t type = row == kNoOperation ? 0 : static_cast<uint8_t>(op_table()[row - 1].operation);
    OperationMetrics operation = operation_metrics(type, counted);
    if (!operation.statuses.empty()) out.operations.push_back(std::move(operation));
  }
}

}  // namespace

MetricsAnswer current_metrics(const ServiceState& state) {
  MetricsAnswer out;
  add_state(state, out);
  add_events(state.metrics, out);
  add_audit(state.audit->state(), out);
  add_keys(state.store->metrics(), out);
  add_requests(state.metrics.totals(), out);
  return out;
}

Result<size_t> handle_metrics(RequestContext& context, UntrustedBytes payload, MutableBytes answer) {
  WVDS_TRY(protocol::decode_empty_request(payload));
  return current_metrics(context.state).encode(answer);
}

}  // namespace wvds::service
