#include "keystore/refill_bell.h"

namespace wvds::keystore {
namespace {

// A disk that does not answer for so long is as good as failed for the request that waits.
constexpr std::chrono::seconds kPatience{5};

}  // namespace

void RefillBell::ring() {
  const std::lock_guard lock(mutex_);
  rung_ = true;
  work_.notify_one();
}

void RefillBell::note_change() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
  work_.notify_one();
}

bool RefillBell::wait_until(const std::function<bool()>& enough) {
  const platform::TimePoint deadline = platform::monotonic_now() + kPatience;
  std::unique_lock lock(mutex_);
  const auto hopeless = [this] { return !served_ || stopped_ || failing_; };
  while (!enough()) {
    rung_ = true;
    work_.notify_one();
    // A try that is under way may have begun before this ring; the next one has not.
    const uint64_t mine = tries_begun_ + 1;
    const bool answered =
        answer_.wait_until(lock, deadline, [&] { return hopeless() || tries_done_ >= mine || enough(); });
    if (!answered || hopeless()) return enough();
  }
  return true;
}

void RefillBell::serve() {
  const std::lock_guard lock(mutex_);
  served_ = true;
}

bool RefillBell::wait_for_work(platform::Duration delay) {
  std::unique_lock lock(mutex_);
  work_.wait(lock, [&] { return stopped_ || rung_ || changed_; });
  if (failing_) {
    work_.wait_until(lock, platform::monotonic_now() + delay, [&] { return stopped_; });
  } else if (!rung_) {
    work_.wait_until(lock, platform::monotonic_now() + delay, [&] { return stopped_ || rung_; });
  }
  rung_ = changed_ = false;
  ++tries_begun_;
  try_began_ = platform::monotonic_now();
  return !stopped_;
}

void RefillBell::tried(bool succeeded) {
  const std::lock_guard lock(mutex_);
  failing_ = !succeeded;
  tries_done_ = tries_begun_;
  answer_.notify_all();
}

platform::Duration RefillBell::trying_for(platform::TimePoint now) const {
  const std::lock_guard lock(mutex_);
  return tries_done_ == tries_begun_ ? platform::Duration(0) : now - try_began_;
}

void RefillBell::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  work_.notify_all();
  answer_.notify_all();
}

}  // namespace wvds::keystore
