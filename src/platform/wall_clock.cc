#include "platform/wall_clock.h"

#include <cstdio>

namespace wvds::platform {
namespace {

using std::chrono::milliseconds;

constexpr WallTime kEarliest = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);

std::string uptime_text(TimePoint now) {
  char text[48];
  const auto up = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count();
  std::snprintf(text, sizeof text, "up %lld.%03lld s", static_cast<long long>(up / 1000),
                static_cast<long long>(up % 1000));
  return text;
}

}  // namespace

std::optional<WallTime> known_time(WallTime shown) {
  if (shown < kEarliest) return std::nullopt;
  return shown;
}

std::optional<WallTime> wall_clock_now() {
  return known_time(std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()));
}

std::string time_text(std::optional<WallTime> time, TimePoint now) {
  if (!time) return uptime_text(now);
  const auto day = std::chrono::floor<std::chrono::days>(*time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(*time - day);
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

std::string date_text(uint64_t unix_seconds) {
  const WallTime time{std::chrono::seconds(static_cast<std::chrono::seconds::rep>(unix_seconds))};
  const std::string text = time_text(time, {});
  return text.substr(0, text.find('.')) + "Z";
}

}  // namespace wvds::platform
