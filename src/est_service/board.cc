#include "est_service/board.h"

#include <utility>

namespace wvds::est_service {

const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::kMissing: return "missing";
    case Phase::kWaiting: return "waiting";
    case Phase::kValid: return "valid";
    case Phase::kDue: return "due";
    case Phase::kExpired: return "expired";
  }
  return "unknown";
}

std::shared_ptr<const Snapshot> Board::snapshot() const {
  const std::lock_guard lock(mutex_);
  return snapshot_;
}

void Board::publish(Snapshot next) {
  const std::lock_guard lock(mutex_);
  next.generation = snapshot_->generation;
  if (next == *snapshot_) return;
  ++next.generation;
  snapshot_ = std::make_shared<const Snapshot>(std::move(next));
  changed_.notify_all();
}

std::shared_ptr<const Snapshot> Board::wait_for_change(uint64_t known, platform::TimePoint deadline) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [&] { return stopped_ || snapshot_->generation != known; });
  return snapshot_;
}

void Board::wish(Wish wish) {
  const std::lock_guard lock(mutex_);
  wishes_.insert(std::move(wish));
  changed_.notify_all();
}

std::set<Wish> Board::take_wishes() {
  const std::lock_guard lock(mutex_);
  return std::exchange(wishes_, {});
}

bool Board::sleep(platform::TimePoint until) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return stopped_ || !wishes_.empty(); });
  return !stopped_;
}

void Board::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool Board::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

}  // namespace wvds::est_service
