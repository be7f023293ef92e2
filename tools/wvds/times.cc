#include "tools/wvds/times.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>

namespace wvds::tool {
namespace {

constexpr uint64_t kLast = 253'402'300'799;  // of the year 9999

std::optional<uint64_t> number_from(std::string_view digits) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

std::optional<uint64_t> seconds_of_unit(char unit) {
  constexpr std::array kUnits{std::pair{'s', 1u}, std::pair{'m', 60u}, std::pair{'h', 3'600u}, std::pair{'d', 86'400u},
                              std::pair{'w', 604'800u}};
  for (const auto& [name, seconds] : kUnits) {
    if (name == unit) return seconds;
  }
  return std::nullopt;
}

std::optional<uint64_t> after_duration(std::string_view words, uint64_t now) {
  if (words.empty() || now > kLast) return std::nullopt;
  const auto unit = seconds_of_unit(words.back());
  const auto number = number_from(words.substr(0, words.size() - 1));
  if (!unit || !number || *number == 0 || *number > (kLast - now) / *unit) return std::nullopt;
  return now + *number * *unit;
}

bool has_shape(std::string_view words) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:ddZ";
  return std::ranges::equal(words, kShape, [](char c, char shape) {
    if (shape == 'd') return c >= '0' && c <= '9';
    return c == shape || (c >= 'a' && c - 'a' + 'A' == shape);  // RFC 3339 allows t and z
  });
}

// A leap second (:60) is none that a clock of Unix can show.
std::optional<uint64_t> at_date(std::string_view words) {
  using namespace std::chrono;
  if (!has_shape(words)) return std::nullopt;
  const auto field = [&](size_t at, size_t size) { return static_cast<int>(*number_from(words.substr(at, size))); };
  const year_month_day date(year(field(0, 4)), month(static_cast<unsigned>(field(5, 2))),
                            day(static_cast<unsigned>(field(8, 2))));
  const int hour = field(11, 2), minute = field(14, 2), second = field(17, 2);
  if (!date.ok() || date < 1970y / 1 / 1 || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto time = sys_days(date).time_since_epoch() + hours(hour) + minutes(minute) + seconds(second);
  return static_cast<uint64_t>(duration_cast<seconds>(time).count());
}

}  // namespace

Outcome<uint64_t> time_from_words(const std::string& option, const std::string& words, uint64_t now) {
  if (const auto date = at_date(words); date && *date != 0) return *date;
  if (const auto later = after_duration(words, now)) return *later;
  return misused(option + ": \"" + words +
                 "\" is no time: write it in UTC, as 2027-01-01T00:00:00Z, or from now, as 90d (s, m, h, d or w)");
}

}  // namespace wvds::tool
