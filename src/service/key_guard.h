#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "service/key_cache.h"

namespace wvds::service {

class KeyGuard;

// KeyGuards knows the key caches of all sessions, so that a deleted key leaves the memory of every worker at once, also
// of those that sleep. Thread-safe.
class KeyGuards {
 public:
  // key_deleted makes every cache let go of what was deleted: those of idle workers before it returns, those of busy
  // ones at the end of the request they are at. Never waits for a worker.
  void key_deleted();

 private:
  friend class KeyGuard;

  void add(KeyGuard* guard);
  void remove(KeyGuard* guard);

  std::atomic<uint64_t> deletions_{0};
  std::mutex mutex_;
  std::vector<KeyGuard*> all_;
};

// KeyGuard lets either a session's worker or a deletion at the session's cache. `cache` and `guards` must outlive it.
class KeyGuard {
 public:
  KeyGuard(KeyCache& cache, KeyGuards& guards);
  ~KeyGuard();
  KeyGuard(const KeyGuard&) = delete;
  KeyGuard& operator=(const KeyGuard&) = delete;

  // The worker uses the cache between enter and leave only. enter waits as long as a sweep of the cache takes.
  void enter();
  void leave();

 private:
  friend class KeyGuards;
  void sweep_unless_busy();

  KeyCache& cache_;
  KeyGuards& guards_;
  std::atomic<bool> busy_{false};
  uint64_t swept_ = 0;  // the deletions this cache has followed; changed by whoever made busy_ true
};

}  // namespace wvds::service
