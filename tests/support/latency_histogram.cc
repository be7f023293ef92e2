#include "support/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

namespace wvds::test {
namespace {

// The first 64 buckets hold one nanosecond each; then 32 buckets for each doubling.
constexpr uint64_t kExact = 64;
constexpr uint64_t kSteps = 32;
constexpr uint64_t kLongest = (uint64_t{1} << 40) - 1;

size_t bucket_of(uint64_t ns) {
  if (ns < kExact) return ns;
  const auto shift = static_cast<uint64_t>(std::bit_width(ns)) - 6;
  return kExact + (shift - 1) * kSteps + (ns >> shift) - kSteps;
}

uint64_t upper_bound_of(size_t bucket) {
  if (bucket < kExact) return bucket;
  const uint64_t shift = (bucket - kExact) / kSteps + 1;
  const uint64_t step = (bucket - kExact) % kSteps + kSteps;
  return ((step + 1) << shift) - 1;
}

}  // namespace

LatencyCounts::LatencyCounts() : counts_(LatencyHistogram::kBuckets) {}

uint64_t LatencyCounts::total() const { return std::accumulate(counts_.begin(), counts_.end(), uint64_t{0}); }

std::chrono::nanoseconds LatencyCounts::quantile(double share) const {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(total())));
  uint64_t seen = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen > 0 && seen >= wanted) return std::chrono::nanoseconds(upper_bound_of(i));
  }
  return {};
}

std::chrono::nanoseconds LatencyCounts::longest() const { return quantile(1); }

LatencyCounts& LatencyCounts::operator+=(const LatencyCounts& more) {
  std::ranges::transform(counts_, more.counts_, counts_.begin(), std::plus{});
  return *this;
}

LatencyCounts& LatencyCounts::operator-=(const LatencyCounts& earlier) {
  std::ranges::transform(counts_, earlier.counts_, counts_.begin(), std::minus{});
  return *this;
}

void LatencyHistogram::add(std::chrono::nanoseconds latency) {
  const auto ns = static_cast<uint64_t>(std::clamp<int64_t>(latency.count(), 0, kLongest));
  counts_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
}

LatencyCounts LatencyHistogram::counts() const {
  LatencyCounts out;
  std::ranges::transform(counts_, out.counts_.begin(),
                         [](const auto& count) { return count.load(std::memory_order_relaxed); });
  return out;
}

}  // namespace wvds::test
