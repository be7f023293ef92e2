#pragma once

#include "platform/clock.h"

namespace wvds::service {

using platform::Duration;
using platform::TimePoint;

// Clock is where the service takes the time from, so that tests can set it.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
};

class SystemClock : public Clock {
 public:
  TimePoint now() const override { return platform::monotonic_now(); }
};

}  // namespace wvds::service
