#include "platform/wall_clock.h"

#include <gtest/gtest.h>

namespace wvds::platform {
namespace {

using std::chrono::milliseconds;
using std::chrono::sys_days;
using std::chrono::year;

constexpr TimePoint kUp{std::chrono::duration_cast<Duration>(milliseconds(12'345))};

TEST(WallClock, IsUnknownWhereNobodySetIt) {
  EXPECT_EQ(known_time(WallTime{}), std::nullopt) << "1970";
  EXPECT_EQ(known_time(WallTime(sys_days(year(2025) / 12 / 31)) + milliseconds(86'399'999)), std::nullopt);
  EXPECT_EQ(known_time(WallTime(sys_days(year(2026) / 1 / 1))), WallTime(sys_days(year(2026) / 1 / 1)));
}

TEST(WallClock, IsWrittenAsRfc3339HasIt) {
  const WallTime time = sys_days(year(2027) / 2 / 3) + std::chrono::hours(4) + milliseconds(5'006);
  EXPECT_EQ(time_text(time, kUp), "2027-02-03T04:00:05.006Z");
  EXPECT_EQ(time_text(WallTime(sys_days(year(2028) / 2 / 29)) + milliseconds(86'399'999), kUp),
            "2028-02-29T23:59:59.999Z");
}

TEST(WallClock, IsWrittenToTheSecondForDates) {
  EXPECT_EQ(date_text(1'798'761'600), "2027-01-01T00:00:00Z");
  EXPECT_EQ(date_text(1), "1970-01-01T00:00:01Z");
  EXPECT_EQ(date_text(253'402'300'799), "9999-12-31T23:59:59Z");
}

TEST(WallClock, UnknownIsWrittenAsTheTimeSinceTheStart) { EXPECT_EQ(time_text(std::nullopt, kUp), "up 12.345 s"); }

TEST(WallClock, IsKnownHere) { EXPECT_TRUE(wall_clock_now().has_value()); }

}  // namespace
}  // namespace wvds::platform
