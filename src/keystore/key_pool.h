#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>

#include "keystore/key_store.h"
#include "keystore/material.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace wvds::keystore {

// KeyPool keeps a few ML-KEM and ML-DSA keys ready for session and volatile keys: making one takes 0.1 to 1 ms, most of
// it the pairwise test that FIPS demands. It makes keys only of algorithms that were asked for before, and only while
// nobody asks. Thread-safe.
class KeyPool {
 public:
  // `expanded` gives up older keys where locked memory is short, but never for a key that only waits in the pool.
  KeyPool(const crypto::Library& library, ExpandedKeys& expanded, PoolSize size)
      : library_(library), expanded_(expanded), size_(size) {}
  ~KeyPool() { stop(); }

  // start begins to fill in the background, after nobody has asked for `quiet`. Without it nothing is ever ready.
  Result<> start(platform::Duration quiet);
  void stop();

  // take returns a key that is ready, or makes one. It wakes nobody: that takes longer than to hand out a key.
  Result<Material> take(Algorithm algorithm);

  // refill wakes the thread when keys were taken while it rested. Call it when there is time.
  void refill();

  // ready counts the keys that wait; idle is true while there is nothing to make.
  size_t ready(Algorithm algorithm) const;
  bool idle() const;

 private:
  struct Shelf {
    std::list<Material> keys;
    bool wanted = false;
  };

  void run(platform::Duration quiet);
  std::list<Material> make_ahead(ExpandedKeys& expanded, Algorithm algorithm) const;
  size_t size_of(size_t shelf) const;
  Algorithm next_to_make() const;  // kNone when all wanted shelves are full

  const crypto::Library& library_;
  ExpandedKeys& expanded_;
  const PoolSize size_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Shelf, 6> shelves_;
  uint64_t taken_ = 0;
  bool resting_ = false;  // the thread waits for refill
  std::atomic<bool> refill_due_ = false;
  bool stopped_ = false;
  platform::Thread thread_;
};

}  // namespace wvds::keystore
