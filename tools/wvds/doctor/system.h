#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace wvds::tool {

// written_ms is when a file was last written, wall_clock_ms what the same clock shows now; milliseconds since 1970.
std::optional<int64_t> written_ms(const std::string& path);
int64_t wall_clock_ms();

// is_forbidden tells whether a file is there, or may be, and is not for this user to read.
bool is_forbidden(const std::string& path);

}  // namespace wvds::tool
