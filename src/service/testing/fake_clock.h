#pragma once

#include <atomic>

#include "service/clock.h"

namespace wvds::service {

// FakeClock stands still until a test moves it.
class FakeClock : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Duration(now_.load())); }
  void advance(Duration step) { now_.fetch_add(step.count()); }

  // The time of day stands still, too, from 2027-01-01T00:00:00Z on; 0: it is not known.
  std::optional<platform::WallTime> wall_time() const override {
    const uint64_t seconds = wall_seconds_.load();
    if (seconds == 0) return std::nullopt;
    return platform::WallTime(std::chrono::seconds(seconds));
  }
  void set_wall_time(uint64_t unix_seconds) { wall_seconds_ = unix_seconds; }

 private:
  std::atomic<uint64_t> wall_seconds_{1'798'761'600};
  std::atomic<Duration::rep> now_{Duration(std::chrono::hours(1)).count()};
};

}  // namespace wvds::service
