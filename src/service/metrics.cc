#include "service/metrics.h"

#include <algorithm>
#include <bit>

#include "protocol/operations.h"

namespace wvds::service {
namespace {

size_t row_count() { return protocol::operations_of(protocol::Daemon::kCryptoService).size() + 1; }

}  // namespace

Totals::Totals() : rows(row_count()) {}

size_t latency_bucket(uint64_t nanoseconds) {
  constexpr size_t kFirstBits = std::bit_width(protocol::latency_bound_ns(0) - 1);
  const size_t bits = std::bit_width(nanoseconds - std::min<uint64_t>(nanoseconds, 1));
  return std::min(bits - std::min(bits, kFirstBits), protocol::kLatencyBuckets - 1);
}

SessionCounters::SessionCounters(Metrics& metrics) : metrics_(metrics), rows_(std::make_unique<Row[]>(row_count())) {
  metrics_.join(this);
}

SessionCounters::~SessionCounters() { metrics_.leave(this); }

void SessionCounters::timed(size_t row, platform::Duration duration) {
  const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
  const auto time = static_cast<uint64_t>(std::max<int64_t>(nanoseconds, 0));
  add(rows_[row].latency_sum_ns, time);
  add(rows_[row].latencies[latency_bucket(time)], 1);
}

void SessionCounters::add_to(Totals& totals) const {
  for (size_t i = 0; i < totals.rows.size(); ++i) {
    OperationTotals& total = totals.rows[i];
    for (size_t s = 0; s < kStatuses; ++s) total.by_status[s] += rows_[i].by_status[s].load(std::memory_order_relaxed);
    total.latency_sum_ns += rows_[i].latency_sum_ns.load(std::memory_order_relaxed);
    for (size_t b = 0; b < total.latencies.size(); ++b)
      total.latencies[b] += rows_[i].latencies[b].load(std::memory_order_relaxed);
  }
  totals.wasted_wakeups += wasted_wakeups_.load(std::memory_order_relaxed);
}

Totals Metrics::totals() const {
  const std::lock_guard lock(mutex_);
  Totals totals = ended_;
  for (const SessionCounters* session : live_) session->add_to(totals);
  return totals;
}

void Metrics::join(const SessionCounters* session) {
  const std::lock_guard lock(mutex_);
  live_.push_back(session);
}

// In one step, so that nothing is counted twice and nothing is missing at any time.
void Metrics::leave(const SessionCounters* session) {
  const std::lock_guard lock(mutex_);
  session->add_to(ended_);
  std::erase(live_, session);
}

}  // namespace wvds::service
