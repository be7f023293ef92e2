#include "est/dates.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>

#include "est/text.h"

namespace wvds::est {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

// Cursor takes a fixed form apart; the first thing that is not there makes it fail for good.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}

  void literal(std::string_view wanted) {
    if (!rest_.starts_with(wanted)) return fail();
    rest_.remove_prefix(wanted.size());
  }

  unsigned number(size_t digits) {
    if (rest_.size() < digits) fail();
    const auto value = failed_ ? std::nullopt : decimal(rest_.substr(0, digits), 9999);
    if (!value) fail();
    if (failed_) return 0;
    rest_.remove_prefix(digits);
    return static_cast<unsigned>(*value);
  }

  // one_of gives the place of the word that comes next.
  unsigned one_of(std::span<const std::string_view> words) {
    const auto found = std::ranges::find_if(words, [&](std::string_view word) { return rest_.starts_with(word); });
    if (found == words.end()) return fail(), 0;
    rest_.remove_prefix(found->size());
    return static_cast<unsigned>(found - words.begin());
  }

  bool next_is(char c) const { return !rest_.empty() && rest_.front() == c; }
  bool next_is_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  void skip_digits() {
    while (next_is_digit()) rest_.remove_prefix(1);
  }
  bool finished() const { return !failed_ && rest_.empty(); }
  void fail() {
    failed_ = true;
    rest_ = {};
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

struct Moment {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

std::optional<int64_t> seconds_of(const Moment& at) {
  using namespace std::chrono;
  const year_month_day date{year(static_cast<int>(at.year)), month(at.month), day(at.day)};
  if (!date.ok() || at.hour > 23 || at.minute > 59 || at.second > 60) return std::nullopt;
  const auto days = sys_days(date).time_since_epoch().count();
  return ((int64_t{days} * 24 + at.hour) * 60 + at.minute) * 60 + std::min(at.second, 59u);
}

void time_of_day(Cursor& cursor, Moment& at) {
  at.hour = cursor.number(2);
  cursor.literal(":");
  at.minute = cursor.number(2);
  cursor.literal(":");
  at.second = cursor.number(2);
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<int64_t> imf_fixdate(std::string_view text) {
  Cursor cursor(text);
  Moment at;
  cursor.one_of(kDays);
  cursor.literal(", ");
  at.day = cursor.number(2);
  cursor.literal(" ");
  at.month = cursor.one_of(kMonths) + 1;
  cursor.literal(" ");
  at.year = cursor.number(4);
  cursor.literal(" ");
  time_of_day(cursor, at);
  cursor.literal(" GMT");
  return cursor.finished() ? seconds_of(at) : std::nullopt;
}

// "Sunday, 06-Nov-94 08:49:37 GMT": a year that seems more than 50 years ahead is the last one with these digits.
std::optional<int64_t> rfc850_date(std::string_view text, int64_t now) {
  Cursor cursor(text);
  Moment at;
  cursor.one_of(kLongDays);
  cursor.literal(", ");
  at.day = cursor.number(2);
  cursor.literal("-");
  at.month = cursor.one_of(kMonths) + 1;
  cursor.literal("-");
  const unsigned short_year = cursor.number(2);
  cursor.literal(" ");
  time_of_day(cursor, at);
  cursor.literal(" GMT");
  if (!cursor.finished()) return std::nullopt;
  constexpr int64_t kSecondsOfYear = 31556952;
  const int64_t this_year = std::clamp<int64_t>(1970 + now / kSecondsOfYear, 1970, 9000);
  at.year = static_cast<unsigned>(this_year / 100 * 100) + short_year;
  if (at.year > this_year + 50) at.year -= 100;
  return seconds_of(at);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<int64_t> asctime_date(std::string_view text) {
  Cursor cursor(text);
  Moment at;
  cursor.one_of(kDays);
  cursor.literal(" ");
  at.month = cursor.one_of(kMonths) + 1;
  cursor.literal(" ");
  if (cursor.next_is(' ')) {
    cursor.literal(" ");
    at.day = cursor.number(1);
  } else {
    at.day = cursor.number(2);
  }
  cursor.literal(" ");
  time_of_day(cursor, at);
  cursor.literal(" ");
  at.year = cursor.number(4);
  return cursor.finished() ? seconds_of(at) : std::nullopt;
}

// "Z" or "+01:00": what the local time is ahead of the universal one, in seconds.
int64_t utc_offset(Cursor& cursor) {
  if (cursor.next_is('Z') || cursor.next_is('z')) {
    cursor.literal(cursor.next_is('Z') ? "Z" : "z");
    return 0;
  }
  const bool behind = cursor.next_is('-');
  cursor.literal(behind ? "-" : "+");
  const unsigned hours = cursor.number(2);
  cursor.literal(":");
  const unsigned minutes = cursor.number(2);
  if (hours > 23 || minutes > 59) cursor.fail();
  const auto seconds = static_cast<int64_t>(hours * 60 + minutes) * 60;
  return behind ? -seconds : seconds;
}

}  // namespace

std::optional<int64_t> parse_http_date(std::string_view text, int64_t now) {
  if (const auto date = imf_fixdate(text)) return date;
  if (const auto date = rfc850_date(text, now)) return date;
  return asctime_date(text);
}

std::optional<int64_t> parse_rfc3339(std::string_view text) {
  Cursor cursor(text);
  Moment at;
  at.year = cursor.number(4);
  cursor.literal("-");
  at.month = cursor.number(2);
  cursor.literal("-");
  at.day = cursor.number(2);
  cursor.literal(cursor.next_is('t') ? "t" : "T");
  time_of_day(cursor, at);
  if (cursor.next_is('.')) {
    cursor.literal(".");
    cursor.number(1);
    cursor.skip_digits();
  }
  const int64_t offset = utc_offset(cursor);
  const auto local = cursor.finished() ? seconds_of(at) : std::nullopt;
  if (!local) return std::nullopt;
  return *local - offset;
}

}  // namespace wvds::est
