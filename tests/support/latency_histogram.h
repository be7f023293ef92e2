#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace wvds::test {

// LatencyCounts is what a histogram held at one moment.
class LatencyCounts {
 public:
  LatencyCounts();

  uint64_t total() const;

  // quantile gives the latency that `share` (0 to 1) of all did not exceed, at most 1/32 too much; 0 without any.
  std::chrono::nanoseconds quantile(double share) const;
  std::chrono::nanoseconds longest() const;  // exact as quantile is

  LatencyCounts& operator+=(const LatencyCounts& more);
  LatencyCounts& operator-=(const LatencyCounts& earlier);

 private:
  friend class LatencyHistogram;
  std::vector<uint64_t> counts_;
};

// LatencyHistogram counts latencies up to 18 minutes. It may lie in memory that processes share: one adds, others read.
class LatencyHistogram {
 public:
  static constexpr size_t kBuckets = 1184;

  void add(std::chrono::nanoseconds latency);
  LatencyCounts counts() const;

 private:
  static_assert(std::atomic<uint64_t>::is_always_lock_free);
  std::array<std::atomic<uint64_t>, kBuckets> counts_{};
};

}  // namespace wvds::test
