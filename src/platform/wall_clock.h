#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "platform/clock.h"

namespace wvds::platform {

// WallTime is a time of day, in UTC.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

// known_time is `shown`, what a clock shows, or nothing where the clock was never set: many begin with 1970, and no
// machine runs this program before it was written.
std::optional<WallTime> known_time(WallTime shown);

// wall_clock_now is the time of day where this system knows it. It may be wrong, and may jump: for people to read and
// for the dates of keys, never for deadlines. Any thread.
std::optional<WallTime> wall_clock_now();

// time_text writes a time as 2026-11-22T23:12:56.123Z; without one, how long this system has been up: "up 12.345 s".
std::string time_text(std::optional<WallTime> time, TimePoint now);

// date_text writes a time in seconds since 1970 as RFC 3339 has it: 2026-11-22T23:12:56Z.
std::string date_text(uint64_t unix_seconds);

}  // namespace wvds::platform
