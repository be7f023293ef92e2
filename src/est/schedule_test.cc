#include "est/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace wvds::est {
namespace {

constexpr int64_t kDay = 86400;
constexpr int64_t kBegin = 1795000000;
constexpr uint64_t kAllBits = ~uint64_t{0};

// Draws are the same in every run.
class Draws {
 public:
  explicit Draws(uint64_t seed) : engine_(seed) {}
  uint64_t bits() { return engine_(); }
  int64_t between(int64_t least, int64_t most) {
    return least + static_cast<int64_t>(bits() % static_cast<uint64_t>(most - least + 1));
  }
  // spread draws small and large numbers alike often: seconds as well as years.
  int64_t spread(int64_t least, int64_t most) {
    const int64_t bound = std::max(least, most >> (bits() % 30));
    return between(least, bound);
  }

 private:
  std::mt19937_64 engine_;
};

Validity of_days(int64_t days) { return {kBegin, kBegin + days * kDay}; }

TEST(RenewalTime, IsAPartOfTheLifetimeLessJitter) {
  const RenewalRule rule{.at_percent = 50, .jitter_percent = 10, .margin = kDay};
  EXPECT_EQ(renewal_time(of_days(100), rule, std::nullopt, 0), kBegin + 50 * kDay);
  EXPECT_EQ(renewal_time(of_days(100), rule, std::nullopt, 10 * kDay), kBegin + 40 * kDay);
  EXPECT_EQ(renewal_time(of_days(100), rule, std::nullopt, 10 * kDay + 1), kBegin + 50 * kDay);
}

TEST(RenewalTime, KeepsItsMargin) {
  const RenewalRule late{.at_percent = 99, .jitter_percent = 0, .margin = 2 * kDay};
  EXPECT_EQ(renewal_time(of_days(90), late, std::nullopt, 0), kBegin + 88 * kDay);
  EXPECT_EQ(renewal_time({kBegin, kBegin + 600}, late, std::nullopt, 0), kBegin + 450)
      << "a quarter of a short lifetime";
}

TEST(RenewalTime, IsWithinTheServersWindow) {
  const RenewalRule rule;
  const RenewalWindow window{kBegin + 20 * kDay, kBegin + 21 * kDay};
  EXPECT_EQ(renewal_time(of_days(90), rule, window, 0), window.start);
  EXPECT_EQ(renewal_time(of_days(90), rule, window, kDay), window.end);
  EXPECT_EQ(renewal_time(of_days(90), rule, window, 100), window.start + 100);
  const RenewalWindow past{kBegin - 3 * kDay, kBegin - 2 * kDay};
  EXPECT_EQ(renewal_time(of_days(90), rule, past, kAllBits), kBegin) << "the CA wants it at once";
  const RenewalWindow late{kBegin + 89 * kDay, kBegin + 200 * kDay};
  EXPECT_EQ(renewal_time(of_days(90), rule, late, kAllBits), kBegin + 89 * kDay)
      << "no window moves it behind the margin";
  const RenewalWindow empty{kBegin + 5, kBegin + 5};
  EXPECT_EQ(renewal_time(of_days(90), rule, empty, 7), renewal_time(of_days(90), rule, std::nullopt, 7));
}

TEST(RenewalTime, SpreadsDevicesOverTheWindow) {
  Draws draws(1);
  const RenewalWindow window{kBegin + 20 * kDay, kBegin + 30 * kDay};
  int first_half = 0;
  for (int i = 0; i < 10000; ++i) {
    if (renewal_time(of_days(90), {}, window, draws.bits()) < kBegin + 25 * kDay) ++first_half;
  }
  EXPECT_NEAR(first_half, 5000, 300);
}

// Whatever the rule and the server's window say, a renewal is planned inside the lifetime, at least a margin before its
// end.
TEST(RenewalTime, IsAlwaysBeforeTheEnd) {
  Draws draws(2);
  for (int i = 0; i < 200000; ++i) {
    const int64_t begin = draws.between(0, 4000000000);
    const Validity validity{begin, begin + draws.spread(1, 30 * 366 * kDay)};
    const RenewalRule rule{static_cast<uint32_t>(draws.spread(0, 200)), static_cast<uint32_t>(draws.spread(0, 200)),
                           draws.spread(0, 400 * kDay)};
    std::optional<RenewalWindow> window;
    if (draws.bits() % 2 == 0) {
      const int64_t start = draws.between(-1000000000, 6000000000);
      window = RenewalWindow{start, start + draws.spread(1, 366 * kDay)};
    }
    const int64_t time = renewal_time(validity, rule, window, draws.bits());
    const int64_t lifetime = validity.not_after - validity.not_before;
    ASSERT_GE(time, validity.not_before);
    ASSERT_LE(time, validity.not_after - std::min(rule.margin, lifetime / 4));
    ASSERT_TRUE(lifetime < 4 || rule.margin == 0 || time < validity.not_after);
  }
}

TEST(RenewalTime, SurvivesNonsense) {
  constexpr int64_t kLeast = INT64_MIN;
  constexpr int64_t kMost = INT64_MAX;
  for (const Validity& validity :
       {Validity{kLeast, kMost}, Validity{kMost, kLeast}, Validity{kMost, kMost}, Validity{0, 253402300799}}) {
    for (const RenewalWindow& window :
         {RenewalWindow{kLeast, kMost}, RenewalWindow{kMost, kLeast}, RenewalWindow{kMost - 1, kMost}}) {
      const int64_t time = renewal_time(validity, {99, 99, kMost}, window, kAllBits);
      EXPECT_LE(time, 253402300799);
      renewal_time(validity, {UINT32_MAX, UINT32_MAX, kLeast}, std::nullopt, kAllBits);
    }
  }
}

constexpr RetryRule kRetry{.first_s = 60, .longest_s = 3600, .factor = 2};

TEST(RetryDelay, GrowsUpToItsLongest) {
  EXPECT_EQ(retry_delay_ms(kRetry, 1, std::nullopt, 0), 60000);
  EXPECT_EQ(retry_delay_ms(kRetry, 2, std::nullopt, 0), 120000);
  EXPECT_EQ(retry_delay_ms(kRetry, 6, std::nullopt, 0), 1920000);
  EXPECT_EQ(retry_delay_ms(kRetry, 7, std::nullopt, 0), 3600000);
  EXPECT_EQ(retry_delay_ms(kRetry, UINT32_MAX, std::nullopt, 0), 3600000);
  EXPECT_EQ(retry_delay_ms(kRetry, 0, std::nullopt, 0), 60000);
  EXPECT_EQ(retry_delay_ms(kRetry, 1, std::nullopt, 30000), 30000) << "half of it at least";
}

TEST(RetryDelay, GetsShorterAsTheEndComesNearer) {
  EXPECT_EQ(retry_delay_ms(kRetry, 100, 8 * 3600, 0), 3600000);
  EXPECT_EQ(retry_delay_ms(kRetry, 100, 4 * 3600, 0), 1800000);
  EXPECT_EQ(retry_delay_ms(kRetry, 100, 800, 0), 100000);
  EXPECT_EQ(retry_delay_ms(kRetry, 100, 1, 0), 60000);
  EXPECT_EQ(retry_delay_ms(kRetry, 100, 0, 0), 900000) << "expired";
  EXPECT_EQ(retry_delay_ms(kRetry, 100, -5 * kDay, 0), 900000);
  EXPECT_EQ(retry_delay_ms({.first_s = 1, .longest_s = 20}, 100, 0, 0), 20000);
  EXPECT_EQ(retry_delay_ms({.first_s = 2000, .longest_s = 4000}, 100, 0, 0), 2000000);
}

TEST(RetryDelay, NeverStopsAndNeverHammers) {
  Draws draws(3);
  for (int i = 0; i < 200000; ++i) {
    const RetryRule rule{static_cast<uint32_t>(draws.spread(0, UINT32_MAX)),
                         static_cast<uint32_t>(draws.spread(0, UINT32_MAX)),
                         static_cast<uint32_t>(draws.spread(0, UINT32_MAX))};
    const Pressure left = draws.bits() % 3 == 0 ? Pressure() : Pressure(static_cast<int64_t>(draws.bits()));
    const int64_t delay = retry_delay_ms(rule, static_cast<uint32_t>(draws.bits()), left, draws.bits());
    const int64_t first = std::max<int64_t>(rule.first_s, 1) * 1000;
    ASSERT_GE(delay, first / 2);
    ASSERT_LE(delay, std::max<int64_t>(first, int64_t{rule.longest_s} * 1000));
  }
}

// RFC 7030, section 4.2.3: the client must wait at least the specified time.
TEST(RetryAfterDelay, IsWhatTheServerSaysAndALittleMore) {
  Draws draws(4);
  for (int i = 0; i < 100000; ++i) {
    const int64_t seconds = draws.spread(1, kDay);
    const int64_t delay = retry_after_delay_ms(seconds, std::nullopt, draws.bits());
    ASSERT_GE(delay, seconds * 1000);
    ASSERT_LE(delay, seconds * 1100);
  }
  EXPECT_EQ(retry_after_delay_ms(INT64_MAX, std::nullopt, 0), kDay * 1000);
  EXPECT_EQ(retry_after_delay_ms(-1, std::nullopt, 0), 1000);
}

TEST(RetryAfterDelay, DoesNotLetTheCertificateExpireMeanwhile) {
  EXPECT_EQ(retry_after_delay_ms(3600, 7200, 0), 3600000);
  EXPECT_EQ(retry_after_delay_ms(7200, 7200, 0), 3600000);
  EXPECT_EQ(retry_after_delay_ms(kDay, 100, 0), 60000);
  EXPECT_EQ(retry_after_delay_ms(30, 10, 0), 30000) << "never longer than the server says";
  EXPECT_EQ(retry_after_delay_ms(kDay, -100, 0), kDay * 1000);
  EXPECT_EQ(retry_after_delay_ms(kDay, INT64_MAX, 0), kDay * 1000);
}

// A device, whose server is down at times. `renewed` plays one lifetime and says whether it ended with a new
// certificate in time.
struct Life {
  Validity validity;
  int64_t down_from = 0;
  int64_t down_until = 0;
};

bool renewed_in_time(const Life& life, const RenewalRule& rule, const RetryRule& retry, Draws& draws) {
  int64_t now_ms = renewal_time(life.validity, rule, std::nullopt, draws.bits()) * 1000;
  for (uint32_t failures = 0; now_ms <= life.validity.not_after * 1000;) {
    const int64_t now = now_ms / 1000;
    if (now < life.down_from || now >= life.down_until) return true;
    now_ms += retry_delay_ms(retry, ++failures, life.validity.not_after - now, draws.bits());
  }
  return false;
}

TEST(Schedule, RenewsInTimeWhileTheServerIsUp) {
  Draws draws(5);
  for (int i = 0; i < 50000; ++i) {
    const Life life{{kBegin, kBegin + draws.spread(60, 20 * 366 * kDay)}};
    const RenewalRule rule{static_cast<uint32_t>(draws.between(1, 99)), static_cast<uint32_t>(draws.between(0, 50)),
                           draws.spread(1, 30 * kDay)};
    ASSERT_TRUE(renewed_in_time(life, rule, kRetry, draws));
  }
}

// After an outage of any length there is an attempt before the end, provided that the server is back for as long as the
// next attempt may take: an eighth of what was left then, or first_s.
TEST(Schedule, RenewsInTimeAfterAnOutageThatEndsBeforeTheCertificate) {
  Draws draws(6);
  int outages = 0;
  for (int i = 0; i < 20000; ++i) {
    const int64_t lifetime = draws.spread(3600, 2 * 366 * kDay);
    const int64_t back = draws.spread(2 * kRetry.first_s, lifetime / 3);
    const Life life{{kBegin, kBegin + lifetime}, kBegin, kBegin + lifetime - back};
    ASSERT_TRUE(renewed_in_time(life, {}, kRetry, draws))
        << "lifetime " << lifetime << ", back " << back << " s before the end";
    ++outages;
  }
  EXPECT_EQ(outages, 20000);
}

TEST(Clock, IsJudgedByWhatMustLieInItsPast) {
  constexpr int64_t kBuilt = kBegin;
  EXPECT_EQ(judge_clock(kBuilt, kBuilt, 0), ClockJudgement::kPlausible);
  EXPECT_EQ(judge_clock(0, kBuilt, 0), ClockJudgement::kBehind) << "1970";
  EXPECT_EQ(judge_clock(kBuilt - kDay, kBuilt, 0), ClockJudgement::kPlausible);
  EXPECT_EQ(judge_clock(kBuilt - kDay - 1, kBuilt, 0), ClockJudgement::kBehind);
  EXPECT_EQ(judge_clock(kBuilt + kDay, kBuilt, kBuilt + 3 * kDay), ClockJudgement::kBehind) << "seen later before";
  EXPECT_EQ(judge_clock(kBuilt + 2 * kDay, kBuilt, kBuilt + 3 * kDay), ClockJudgement::kPlausible);
  EXPECT_EQ(judge_clock(kBuilt + 30 * 366 * kDay, kBuilt, 0), ClockJudgement::kPlausible);
  EXPECT_EQ(judge_clock(kBuilt + 50 * 366 * kDay, kBuilt, 0), ClockJudgement::kAhead);
  EXPECT_TRUE(clock_is_plausible(kBuilt, kBuilt, kBuilt));
  EXPECT_FALSE(clock_is_plausible(0, kBuilt, 0));
}

}  // namespace
}  // namespace wvds::est
