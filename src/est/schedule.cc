#include "est/schedule.h"

#include <algorithm>

namespace wvds::est {
namespace {

constexpr int64_t kPercent = 100;

// Times of certificates lie between the years 0 and 9999; nonsense is brought inside, so that nothing overflows.
constexpr int64_t kEarliest = -62167219200;
constexpr int64_t kLatest = 253402300799;

int64_t sane(int64_t time) { return std::clamp(time, kEarliest, kLatest); }

// share_of gives a whole number from 0 to `span`, uniformly but for 1 in 2^24 at most.
int64_t share_of(int64_t span, uint64_t random) {
  return span <= 0 ? 0 : static_cast<int64_t>(random % (static_cast<uint64_t>(span) + 1));
}

// grown is `first` times `factor` to the power of `times`, up to `longest`.
int64_t grown(int64_t first, int64_t factor, uint32_t times, int64_t longest) {
  int64_t value = first;
  for (uint32_t i = 0; i < times && value < longest && factor > 1; ++i) value *= factor;
  return std::min(value, longest);
}

int64_t cap_under(const Pressure& left, int64_t first, int64_t longest) {
  if (!left) return longest;
  if (*left <= 0) return std::min(longest, std::max(first, kMaxExpiredDelay * 1000));
  const int64_t share = std::min(*left, kLatest) * 1000 / kUrgentShare;
  return std::clamp(share, first, longest);
}

}  // namespace

int64_t renewal_time(const Validity& validity, const RenewalRule& rule, const std::optional<RenewalWindow>& window,
                     uint64_t random) {
  const int64_t begin = sane(validity.not_before);
  const int64_t end = std::max(begin, sane(validity.not_after));
  const int64_t lifetime = end - begin;
  const int64_t margin = std::clamp<int64_t>(rule.margin, 0, lifetime / 4);
  const int64_t last = end - margin;
  if (window && window->end > window->start) {
    const int64_t start = std::clamp(window->start, begin, last);
    return start + share_of(std::clamp(window->end, start, last) - start, random);
  }
  const int64_t percent = std::clamp<int64_t>(rule.at_percent, 1, kPercent - 1);
  const int64_t jitter = lifetime * std::clamp<int64_t>(rule.jitter_percent, 0, percent) / kPercent;
  const int64_t latest = std::min(last, begin + lifetime * percent / kPercent);
  return std::max(begin, latest - share_of(jitter, random));
}

int64_t retry_delay_ms(const RetryRule& rule, uint32_t failures, Pressure left, uint64_t random) {
  const int64_t first = std::max<int64_t>(rule.first_s, 1) * 1000;
  const int64_t longest = std::max(first, int64_t{rule.longest_s} * 1000);
  const int64_t factor = std::clamp<int64_t>(rule.factor, 1, 10);
  const int64_t full = grown(first, factor, std::max(failures, 1u) - 1, longest);
  const int64_t delay = std::min(full, cap_under(left, first, longest));
  return delay - share_of(delay / 2, random);
}

int64_t retry_after_delay_ms(int64_t seconds, Pressure left, uint64_t random) {
  constexpr int64_t kLongest = 86400;
  constexpr int64_t kShortest = 60;
  const int64_t asked = std::clamp<int64_t>(seconds, 1, kLongest);
  const int64_t delay = asked * 1000 + share_of(asked * 100, random);
  if (!left || *left <= 0 || delay / 1000 < *left) return delay;
  return std::min(delay, std::max(kShortest, *left / 2) * 1000);
}

ClockJudgement judge_clock(int64_t now, int64_t build_time, int64_t last_seen) {
  if (now < build_time - kClockTolerance || now < last_seen - kClockTolerance) return ClockJudgement::kBehind;
  if (now - build_time > kMaxProgramAge) return ClockJudgement::kAhead;
  return ClockJudgement::kPlausible;
}

}  // namespace wvds::est
