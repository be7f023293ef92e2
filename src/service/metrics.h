#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/result.h"
#include "platform/clock.h"
#include "protocol/metrics_messages.h"

// What the service counts about itself. The counters of a session are written by its worker alone, without a locked
// instruction, and added up only when somebody asks.
namespace wvds::service {

// kStatuses bounds the statuses that travel; there is room for more of them.
inline constexpr size_t kStatuses = 32;
static_assert(static_cast<size_t>(kLastServiceStatus) < kStatuses);

// OperationTotals is what was counted of one operation.
struct OperationTotals {
  std::array<uint64_t, kStatuses> by_status{};
  uint64_t latency_sum_ns = 0;
  std::array<uint64_t, protocol::kLatencyBuckets> latencies{};
};

// Totals has a row for what was no request of any operation, and one for each operation in the order of the op table.
struct Totals {
  Totals();

  std::vector<OperationTotals> rows;
  uint64_t wasted_wakeups = 0;
};

inline constexpr size_t kNoOperation = 0;  // the first row

// latency_bucket is where a time is counted.
size_t latency_bucket(uint64_t nanoseconds);

class Metrics;

// SessionCounters is what one session counts. One thread writes; any thread may read meanwhile.
class SessionCounters {
 public:
  // One request in kTimedEvery of each operation is timed: two looks at the clock would cost more than all else here.
  static constexpr uint64_t kTimedEvery = 16;

  explicit SessionCounters(Metrics& metrics);  // which must outlive the counters
  ~SessionCounters();                          // leaves what was counted to `metrics`
  SessionCounters(const SessionCounters&) = delete;
  SessionCounters& operator=(const SessionCounters&) = delete;

  // begin_is_timed is called once for each request of an operation, before it is served.
  bool begin_is_timed(size_t row) { return rows_[row].begun++ % kTimedEvery == 0; }

  void count(size_t row, Status status) { add(rows_[row].by_status[static_cast<size_t>(status) % kStatuses], 1); }
  void timed(size_t row, platform::Duration duration);
  void wasted_wakeup() { add(wasted_wakeups_, 1); }

  void add_to(Totals& totals) const;

 private:
  using Counter = std::atomic<uint64_t>;

  // Rows don't share cache lines, so that one operation's counters stay with it. A success touches the first line only.
  struct alignas(64) Row {
    uint64_t begun = 0;  // the writer's own
    std::array<Counter, kStatuses> by_status{};
    Counter latency_sum_ns{0};
    std::array<Counter, protocol::kLatencyBuckets> latencies{};
  };

  // One thread writes, so the sum needs no locked instruction.
  static void add(Counter& counter, uint64_t amount) {
    counter.store(counter.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }

  Metrics& metrics_;
  const std::unique_ptr<Row[]> rows_;
  Counter wasted_wakeups_{0};
};

// Refusal is why a session was not opened.
enum class Refusal : uint8_t { kStranger, kServiceLimit, kClientLimit, kNotReady };
inline constexpr size_t kRefusals = 4;

// Metrics is what the whole service counts. Thread-safe.
class Metrics {
 public:
  // totals adds the live sessions up with those that ended.
  Totals totals() const;

  std::atomic<uint64_t> sessions_opened{0};
  std::array<std::atomic<uint64_t>, kRefusals> sessions_refused{};
  std::atomic<uint32_t> reloads{0};
  std::atomic<uint32_t> failed_reloads{0};

 private:
  friend class SessionCounters;

  void join(const SessionCounters* session);
  void leave(const SessionCounters* session);

  mutable std::mutex mutex_;
  std::vector<const SessionCounters*> live_;
  Totals ended_;
};

}  // namespace wvds::service
