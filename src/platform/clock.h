#pragma once

#include <chrono>

namespace wvds::platform {

// The one clock of the product's deadlines and measurements: monotonic, unrelated to the time of day. Whether it runs
// on while the machine is suspended is the system's choice.
using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// monotonic_now never goes backwards and is the same clock in every thread and program of one system start. About 20
// ns.
inline TimePoint monotonic_now() { return std::chrono::steady_clock::now(); }

}  // namespace wvds::platform
