#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "service/service_state.h"

namespace wvds::service {

// kStuckAfter is when the store's thread counts as stuck: a disk that is resetting takes up to a minute or so.
inline constexpr std::chrono::minutes kStuckAfter{3};

// Supervisor tells the service manager that the service lives, and how it is. tick() is called by the listener's loop
// and by nobody else, so that a sign of life means that the loop turns; it also means that the key table can be entered
// and that the thread that reserves uses is not stuck. A worker that is busy is no reason to end all others'.
class Supervisor {
 public:
  explicit Supervisor(const ServiceState& state);

  // tick_interval is half of what the manager waits for a sign of life; 0 where there is no manager.
  std::chrono::milliseconds tick_interval() const;
  void tick();

  // status_line is what the manager shows of the service: "STATUS=2 of 64 sessions, FIPS active".
  std::string status_line() const;

 private:
  bool alive();

  const ServiceState& state_;
  const std::optional<std::chrono::microseconds> watchdog_;
  std::string told_;  // the last status line
  bool stuck_ = false;
};

}  // namespace wvds::service
