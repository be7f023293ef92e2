#include "access/rate_limiter.h"

#include <algorithm>
#include <limits>

namespace wvds::access {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr int64_t kNanosecondsPerMillisecond = 1'000'000;
constexpr int64_t kLongAgo = std::numeric_limits<int64_t>::min();

int64_t interval_of(uint32_t requests_per_second) {
  return requests_per_second == 0 ? 0 : std::max<int64_t>(1, kNanosecondsPerSecond / requests_per_second);
}

int64_t nanoseconds(platform::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

RateLimiter::RateLimiter(const config::RateLimit& limit)
    : interval_(interval_of(limit.requests_per_second)),
      capacity_(interval_ * limit.burst),
      cooldown_(limit.cooldown_ms * kNanosecondsPerMillisecond),
      full_at_(kLongAgo),
      refused_until_(kLongAgo) {}

bool RateLimiter::take(platform::TimePoint time) {
  if (unlimited()) return true;
  const int64_t now = nanoseconds(time);
  if (now < refused_until_.load()) return false;
  int64_t full_at = full_at_.load();
  for (;;) {
    const int64_t after = std::max(full_at, now) + interval_;
    if (after - now > capacity_) break;
    if (full_at_.compare_exchange_weak(full_at, after)) return true;
  }
  begin_cooldown(now);
  return false;
}

// Of several first refusals at the same time one begins the cool-down; the others find it begun.
void RateLimiter::begin_cooldown(int64_t now) {
  int64_t until = refused_until_.load();
  if (until <= now) refused_until_.compare_exchange_strong(until, now + cooldown_);
}

}  // namespace wvds::access
