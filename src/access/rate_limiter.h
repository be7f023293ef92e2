#pragma once

#include <atomic>
#include <cstdint>

#include "config/service_config.h"
#include "platform/clock.h"

namespace wvds::access {

// RateLimiter is a token bucket with a cool-down: it holds `burst` tokens, gets `requests_per_second` back, and each
// request takes one. The first request that finds none is refused, and so is every other for `cooldown_ms` from then
// on; those refusals don't prolong it. Shared by all sessions of a principal: thread-safe and lock-free.
class RateLimiter {
 public:
  explicit RateLimiter(const config::RateLimit& limit);

  bool unlimited() const { return interval_ == 0; }

  // take is true when the request may go on.
  bool take(platform::TimePoint now);

 private:
  void begin_cooldown(int64_t now);

  // All times are nanoseconds on the clock of TimePoint.
  const int64_t interval_;  // between two tokens
  const int64_t capacity_;  // burst tokens, as the time it takes to get them
  const int64_t cooldown_;
  // When the bucket will be full again, if that is not in the past: now + (burst - tokens) * interval.
  std::atomic<int64_t> full_at_;
  std::atomic<int64_t> refused_until_;
};

}  // namespace wvds::access
