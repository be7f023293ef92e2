#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "protocol/service_messages.h"

// METRICS (0x53). The request is empty (decode_empty_request).
namespace wvds::protocol {

// Latencies are counted in buckets whose bounds double: bucket i has what took at most 2^(8 + i) nanoseconds and longer
// than the one before, the last bucket everything longer.
inline constexpr size_t kLatencyBuckets = 22;

// latency_bound_ns is the longest time that falls into a bucket; there is none for the last one.
constexpr uint64_t latency_bound_ns(size_t bucket) { return uint64_t{256} << bucket; }

inline constexpr size_t kUseLevels = 5;
inline constexpr size_t kMaxMostUsedKeys = 8;
inline constexpr size_t kMaxMetricsOperations = 256;  // operations are named by one byte

struct StatusCount {
  Status status = Status::kSuccess;
  uint64_t requests = 0;  // not 0

  bool operator==(const StatusCount&) const = default;
};

struct OperationMetrics {
  uint8_t type = 0;                   // 0: requests whose frame or type was refused
  std::vector<StatusCount> statuses;  // in the order of their values
  uint64_t latency_sum_ns = 0;        // of the timed requests
  std::array<uint64_t, kLatencyBuckets> latencies{};

  bool operator==(const OperationMetrics&) const = default;
};

// MostUsedKey is a key version that is near its limit of uses.
struct MostUsedKey {
  uint32_t key_id = 0;
  uint32_t version = 0;
  uint64_t uses = 0;
  uint64_t use_limit = 0;  // not 0

  bool operator==(const MostUsedKey&) const = default;
};

// MetricsAnswer is METRICS' answer, in the order of its fields: u64 unless said otherwise. Counts are since the start
// of the service.
struct MetricsAnswer {
  uint64_t epoch = 0;
  uint64_t uptime_ms = 0;
  FipsMode fips_mode = FipsMode::kOff;     // u8
  FipsState fips_state = FipsState::kOff;  // u8
  bool locked_memory = false;              // u8
  uint8_t place = 0;                       // u8, KeyPlace
  uint32_t sessions = 0;                   // u32
  uint32_t session_limit = 0;              // u32
  uint32_t warnings = 0;                   // u32
  uint64_t sessions_opened = 0;
  uint64_t refused_strangers = 0;
  uint64_t refused_service_limit = 0;
  uint64_t refused_client_limit = 0;
  uint64_t refused_not_ready = 0;
  uint64_t wasted_wakeups = 0;
  uint64_t rate_limited = 0;
  uint64_t locked_bytes = 0;
  uint64_t locked_bytes_limit = 0;
  uint64_t window_bytes = 0;
  uint64_t window_bytes_limit = 0;
  uint32_t session_keys = 0;                      // u32
  uint32_t volatile_keys = 0;                     // u32
  uint32_t persistent_keys = 0;                   // u32
  uint32_t damaged_keys = 0;                      // u32
  std::array<uint32_t, kUseLevels> use_levels{};  // u32 each: under 50 %, 75 %, 90 %, 100 % of the limit, used up
  uint32_t reservations_fail = 0;                 // u32, 0 or 1
  uint32_t reloads = 0;                           // u32
  uint32_t failed_reloads = 0;                    // u32
  uint64_t audit_entry = 0;                       // number of the audit log's last entry, 0 where there is none
  uint64_t audit_lost = 0;
  std::array<std::byte, 32> audit_hash{};    // of the last entry
  std::vector<OperationMetrics> operations;  // u16 count
  std::vector<MostUsedKey> most_used_keys;   // u16 count, at most kMaxMostUsedKeys; the counts come first

  // decode is kInvalidPayload for anything that encode does not write, such as operations out of order.
  static Result<MetricsAnswer> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

}  // namespace wvds::protocol
