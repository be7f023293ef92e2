#include "service/key_guard.h"

#include <algorithm>

namespace wvds::service {

void KeyGuards::key_deleted() {
  deletions_.fetch_add(1);
  const std::lock_guard lock(mutex_);
  for (KeyGuard* guard : all_) guard->sweep_unless_busy();
}

void KeyGuards::add(KeyGuard* guard) {
  const std::lock_guard lock(mutex_);
  all_.push_back(guard);
}

void KeyGuards::remove(KeyGuard* guard) {
  const std::lock_guard lock(mutex_);
  std::erase(all_, guard);
}

KeyGuard::KeyGuard(KeyCache& cache, KeyGuards& guards) : cache_(cache), guards_(guards) { guards_.add(this); }
KeyGuard::~KeyGuard() { guards_.remove(this); }

void KeyGuard::enter() {
  while (busy_.exchange(true)) busy_.wait(true);
}

// A deletion that finds the guard busy relies on the one who is in: so that one looks again after it has opened the
// guard. Either it then sees the deletion's count, or the deletion found the guard open (all these operations are
// sequentially consistent).
void KeyGuard::leave() {
  do {
    const uint64_t deletions = guards_.deletions_.load();
    if (deletions != swept_) cache_.sweep();
    swept_ = deletions;
    busy_.store(false);
    busy_.notify_one();
    if (guards_.deletions_.load() == deletions) return;
  } while (!busy_.exchange(true));
}

void KeyGuard::sweep_unless_busy() {
  if (!busy_.exchange(true)) leave();
}

}  // namespace wvds::service
