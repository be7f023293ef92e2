#include "service/linux/supervisor.h"

#include <algorithm>

#include "base/log.h"
#include "platform/linux/notify.h"
#include "service/start_up.h"

namespace wvds::service {
namespace {

// How old the status line may get where nobody waits for signs of life.
constexpr std::chrono::seconds kStatusInterval{10};

}  // namespace

Supervisor::Supervisor(const ServiceState& state) : state_(state), watchdog_(platform::watchdog_timeout()) {}

std::chrono::milliseconds Supervisor::tick_interval() const {
  if (!platform::has_manager()) return std::chrono::milliseconds(0);
  if (!watchdog_) return kStatusInterval;
  const auto half = std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog_ / 2);
  return std::clamp<std::chrono::milliseconds>(half, std::chrono::milliseconds(1), kStatusInterval);
}

std::string Supervisor::status_line() const {
  return "STATUS=" + std::to_string(state_.sessions.load()) + " of " + std::to_string(state_.session_limit.load()) +
         " sessions, FIPS " + fips_word(state_.library.fips_state());
}

void Supervisor::tick() {
  if (watchdog_ && alive()) platform::notify_manager("WATCHDOG=1");
  std::string status = status_line();
  if (status == told_) return;
  platform::notify_manager(status);
  told_ = std::move(status);
}

bool Supervisor::alive() {
  static_cast<void>(state_.store->counts());  // blocks for good where the key table's lock is lost
  const bool stuck = state_.store->reserving_for() > kStuckAfter;
  if (stuck && !stuck_) log_error("the key store's thread is stuck: no further sign of life to the service manager");
  stuck_ = stuck;
  return !stuck;
}

}  // namespace wvds::service
