#pragma once

#include <cstdint>
#include <optional>

#include "est/renewal_info.h"

// When to renew and when to try again. Pure functions: times are Unix seconds, delays are milliseconds, random numbers
// are 64 random bits that the caller draws. An attempt always has a next one: no function here says "never".
namespace wvds::est {

struct Validity {
  int64_t not_before = 0;
  int64_t not_after = 0;  // the last second of the certificate (RFC 5280, section 4.1.2.5)
};

struct RenewalRule {
  uint32_t at_percent = 67;     // of the lifetime, 1 to 99
  uint32_t jitter_percent = 5;  // of the lifetime: renewal comes up to this much earlier
  int64_t margin =
      86400;  // seconds before the end after which no renewal is planned; a quarter of the lifetime at most
};

// renewal_time says when to renew: at_percent of the lifetime, less a random part of jitter_percent; within the
// server's window (a uniform point of it, draft-ietf-lamps-est-renewal-info, section 4) where there is one. Never later
// than the margin before the end, whatever rule and window say, and never before not_before. Draw `random` once for a
// certificate: the time then stays while the window stays. A time in the past means at once.
int64_t renewal_time(const Validity& validity, const RenewalRule& rule, const std::optional<RenewalWindow>& window,
                     uint64_t random);

struct RetryRule {
  uint32_t first_s = 60;
  uint32_t longest_s = 3600;
  uint32_t factor = 2;  // 1 to 10
};

// kUrgentShare: while a certificate is still valid, delays are at most this part of the time that it has left.
inline constexpr int64_t kUrgentShare = 8;
inline constexpr int64_t kMaxExpiredDelay = 900;  // seconds: between attempts with an expired certificate

// Pressure is how long the certificate in use still is valid, in seconds; negative or zero: it has expired. Nothing:
// there is none yet.
using Pressure = std::optional<int64_t>;

// retry_delay_ms says how long to wait after `failures` (1 or more) failed attempts in a row: first_s, growing by
// factor up to longest_s, of which between half and all is waited at random. Less when time gets short: at most an
// eighth of what is left, though never under first_s; with an expired certificate at most kMaxExpiredDelay.
int64_t retry_delay_ms(const RetryRule& rule, uint32_t failures, Pressure left, uint64_t random);

// retry_after_delay_ms follows a server's Retry-After (`seconds`, 1 to 86,400; what is outside is brought inside). RFC
// 7030, section 4.2.3: at least as long as it says, and up to a tenth more at random. Only where the certificate would
// expire meanwhile it is half of what is left, at least a minute.
int64_t retry_after_delay_ms(int64_t seconds, Pressure left, uint64_t random);

enum class ClockJudgement : uint8_t {
  kPlausible,
  kBehind,  // earlier than this program was built, or than a time seen before
  kAhead,   // more than kMaxProgramAge after the program was built
};

inline constexpr int64_t kMaxProgramAge = int64_t{40} * 366 * 86400;  // seconds
inline constexpr int64_t kClockTolerance = 86400;

// judge_clock compares the clock with what must be in its past: when the program was built, and the latest time that
// was ever relied on (0: none), each with a day's tolerance. A wrong clock can't judge certificates.
ClockJudgement judge_clock(int64_t now, int64_t build_time, int64_t last_seen);

inline bool clock_is_plausible(int64_t now, int64_t build_time, int64_t last_seen) {
  return judge_clock(now, build_time, last_seen) == ClockJudgement::kPlausible;
}

}  // namespace wvds::est
