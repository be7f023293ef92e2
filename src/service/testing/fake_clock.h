#pragma once

#include <atomic>

#include "service/clock.h"

namespace wvds::service {

// FakeClock stands still until a test moves it.
class FakeClock : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(now_.load())); }
  void advance(Duration step) { now_.fetch_add(step.count()); }

 private:
  std::atomic<Duration::rep> now_{Duration(std::chrono::hours(1)).count()};
};

}  // namespace wvds::service
