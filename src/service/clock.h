#pragma once

#include <optional>

#include "platform/clock.h"
#include "platform/wall_clock.h"

namespace wvds::service {

using platform::Duration;
using platform::TimePoint;

// Clock is where the service takes the time from, so that tests can set it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;

  // wall_time is the time of day where it is known: for the dates of keys.
  virtual std::optional<platform::WallTime> wall_time() const { return platform::wall_clock_now(); }
};

class SystemClock : public Clock {
 public:
  TimePoint now() const override { return platform::monotonic_now(); }
};

}  // namespace wvds::service
