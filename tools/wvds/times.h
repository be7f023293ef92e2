#pragma once

#include <cstdint>
#include <string>

#include "tools/wvds/outcome.h"

// Points in time on the command line: the dates of keys.
namespace wvds::tool {

// time_from_words reads RFC 3339's date-time in UTC ("2027-01-01T00:00:00Z", whole seconds), or how long after `now` it
// is: a whole number and s, m, h, d or w ("90d"). Gives seconds since 1970, as `now` is. The failure names `option`.
Outcome<uint64_t> time_from_words(const std::string& option, const std::string& words, uint64_t now);

}  // namespace wvds::tool
