#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

// Dates as text, without a clock. All times are Unix seconds.
namespace wvds::est {

// parse_http_date reads the three forms of RFC 9110, section 5.6.7. `now` gives the century to the form with two digits
// of the year. The day's name must be one, and is not compared with the date.
std::optional<int64_t> parse_http_date(std::string_view text, int64_t now);

// parse_rfc3339 reads "2026-11-23T10:00:00Z": with a fraction (which is dropped) and an offset too. A leap second
// counts as the second before.
std::optional<int64_t> parse_rfc3339(std::string_view text);

}  // namespace wvds::est
