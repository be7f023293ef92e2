#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/key_limits.h"
#include "base/result.h"
#include "platform/wall_clock.h"

// The dates of a key: docs/protocol.md, "Dates".
namespace wvds::keystore {

// Purpose is what a key is about to be used for, as SP 800-57 part 1, section 5.3.5, tells its two periods apart.
enum class Purpose : uint8_t {
  kProtect,  // encrypt, sign, encapsulate: the originator's usage period, which not_after ends
  kProcess,  // decrypt, verify, decapsulate: the recipient's, which goes on
};

// check_dates is kKeyNotValid where the dates don't allow the purpose at `now`, and where they need a time that nobody
// knows.
Result<> check_dates(const KeyLimits& limits, Purpose purpose, std::optional<platform::WallTime> now);

// A key's end is announced so long before.
inline constexpr std::chrono::days kEndIsNear{30};

// end_warning is the end of a sentence about a key ("ends on ..."), where its operator has to do something: its last
// day is near or over, or its dates can't be compared with the time. Otherwise empty.
std::string end_warning(const KeyLimits& limits, std::optional<platform::WallTime> now);

}  // namespace wvds::keystore
