#pragma once

#include <algorithm>
#include <array>
#include <chrono>

namespace wvds::bench {

using Clock = std::chrono::steady_clock;

// Stopwatch adds up the intervals between start and stop. What looking at the clock costs is measured once and taken
// off each interval: without that, (a) + (b) would hold it twice and (c) once.
class Stopwatch {
 public:
  void start() { begun_ = Clock::now(); }
  void stop() {
    const double raw = std::chrono::duration<double, std::nano>(Clock::now() - begun_).count();
    nanoseconds_ += std::max(0.0, raw - overhead());
  }
  double nanoseconds() const { return nanoseconds_; }

  // overhead is the median of an empty interval, in nanoseconds.
  static double overhead() {
    static const double value = measure_overhead();
    return value;
  }

 private:
  static double measure_overhead() {
    std::array<double, 10'001> empty;
    for (double& sample : empty) {
      const Clock::time_point begun = Clock::now();
      sample = std::chrono::duration<double, std::nano>(Clock::now() - begun).count();
    }
    std::nth_element(empty.begin(), empty.begin() + empty.size() / 2, empty.end());
    return empty[empty.size() / 2];
  }

  Clock::time_point begun_;
  double nanoseconds_ = 0;
};

}  // namespace wvds::bench
