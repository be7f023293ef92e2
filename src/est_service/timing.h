#pragma once

#include <algorithm>

#include "est/schedule.h"
#include "est_service/surroundings.h"

// When to renew and when to try again, as the configuration wants it: est/schedule.h. Times are Unix seconds.
namespace wvds::est_service {

// renewal_time is when to renew a certificate; `random` is 0 where no jitter is wanted.
inline int64_t renewal_time(const Surroundings& world, const est::Certificate& certificate,
                            const std::optional<est::RenewalWindow>& window, uint64_t random) {
  const est::RenewalRule rule{.at_percent = world.config.renewal.at_percent,
                              .jitter_percent = world.config.renewal.jitter_percent};
  return est::renewal_time({certificate.not_before(), certificate.not_after()}, rule, window, random);
}

// told_time is when to come back to a server that said after how many seconds.
inline int64_t told_time(const Surroundings& world, int64_t now, int64_t seconds, est::Pressure left) {
  return now + est::retry_after_delay_ms(seconds, left, world.random()) / 1000;
}

// note_failure notes a failed attempt and when the next one is due: after `told` seconds where the server said so, else
// later with each failure.
inline void note_failure(const Surroundings& world, Attempts& attempts, const est::Failure& failure, int64_t now,
                         est::Pressure left = std::nullopt, std::optional<int64_t> told = std::nullopt) {
  ++attempts.failures;
  attempts.last_failure = LastFailure::of(failure, now);
  if (told) {
    attempts.next_attempt = told_time(world, now, *told, left);
    return;
  }
  const est::RetryRule rule{.first_s = world.config.retry.first_s, .longest_s = world.config.retry.longest_s};
  const int64_t delay_ms = est::retry_delay_ms(rule, attempts.failures, left, world.random());
  attempts.next_attempt = now + std::max<int64_t>(1, delay_ms / 1000);
}

// follow_clock forgets a next attempt that is further away than any delay: when it was planned the clock was ahead.
inline void follow_clock(const Surroundings& world, Attempts& attempts, int64_t now) {
  constexpr int64_t kLongest = int64_t{2} * 86400;  // more than a server may ask to wait
  const int64_t longest = std::max<int64_t>(kLongest, world.config.retry.longest_s);
  if (attempts.next_attempt > now + longest) attempts.next_attempt = now;
}

}  // namespace wvds::est_service
