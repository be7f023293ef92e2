#pragma once

#include <atomic>

#include "platform/clock.h"

namespace wvds::access {

// StillClock stands still until a test moves it.
class StillClock {
 public:
  platform::TimePoint now() const { return platform::TimePoint(platform::Duration(now_.load())); }
  void advance(platform::Duration step) { now_.fetch_add(step.count()); }

 private:
  std::atomic<platform::Duration::rep> now_{platform::Duration(std::chrono::hours(1)).count()};
};

}  // namespace wvds::access
