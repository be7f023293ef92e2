#include "keystore/key_dates.h"

namespace wvds::keystore {
namespace {

using platform::date_text;
using std::chrono::floor;
using std::chrono::seconds;

// A time before 1970 is none that wall_clock_now() gives.
uint64_t seconds_of(platform::WallTime time) {
  return static_cast<uint64_t>(floor<seconds>(time.time_since_epoch()).count());
}

}  // namespace

Result<> check_dates(const KeyLimits& limits, Purpose purpose, std::optional<platform::WallTime> now) {
  if (!limits.has_dates()) return {};
  if (!now) return fail(Status::kKeyNotValid, "the key has dates, and the time of day is not known");
  const uint64_t second = seconds_of(*now);
  if (second < limits.not_before)
    return fail(Status::kKeyNotValid, "the key is not valid before " + date_text(limits.not_before));
  if (purpose == Purpose::kProtect && limits.not_after != 0 && second > limits.not_after)
    return fail(Status::kKeyNotValid, "the key protects nothing new after " + date_text(limits.not_after));
  return {};
}

std::string end_warning(const KeyLimits& limits, std::optional<platform::WallTime> now) {
  if (!limits.has_dates()) return {};
  if (!now) return "has dates and can't be used: the time of day is not known";
  if (limits.not_after == 0) return {};
  const uint64_t second = seconds_of(*now);
  if (second > limits.not_after)
    return "protects nothing new since " + date_text(limits.not_after) + ": make a new one, and retire it";
  const auto near = static_cast<uint64_t>(seconds(kEndIsNear).count());
  if (limits.not_after - second > near) return {};
  return "protects nothing new after " + date_text(limits.not_after) + ": make a new one";
}

}  // namespace wvds::keystore
