#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "keystore/refill_bell.h"
#include "platform/clock.h"

namespace wvds::keystore {

// UseCounter counts the uses of one key version. It hands out only uses that were reserved durably before, so
// that a crash can lose uses that were never taken but never forget one that was. Thread-safe but for the functions of
// the reserving side.
class UseCounter {
 public:
  static constexpr uint64_t kAnyBlock = UINT64_MAX;

  // `granted` uses are reserved already, `used` of them taken; both at most `limit`. A null bell: nothing has to be
  // reserved. With a `largest_block` the counter is a sparing one: uses are reserved only after somebody asked for
  // them, so that starts and crashes without uses waste none, one at first, and no more than that at a time.
  UseCounter(uint64_t used, uint64_t granted, uint64_t limit, std::shared_ptr<RefillBell> bell,
             uint64_t largest_block = kAnyBlock);

  // count takes one use. kKeyUsedUp at the limit, kStorageError when nothing more could be reserved, the closing status
  // after close. Some nanoseconds; only when uses run out faster than the disk could follow does it wait for the
  // reservation that is under way.
  Result<> count();

  // close refuses all further uses with `status`, and returns how many were taken, exactly.
  uint64_t close(Status status);

  uint64_t used() const { return used_.load(std::memory_order_relaxed) & ~kClosed; }
  uint64_t granted() const { return granted_.load(std::memory_order_relaxed); }
  uint64_t limit() const { return limit_; }
  bool closed() const { return (used_.load(std::memory_order_relaxed) & kClosed) != 0; }
  bool nearly_used_up() const { return used() >= limit_ - limit_ / 4; }

  // The reserving side, one thread at a time. wants_more tells whether a refill is due, next_grant what to reserve in
  // it (in the whole, not in addition), grant makes it usable once it is durable.
  bool wants_more() const;
  uint64_t next_grant(uint64_t smallest_block, platform::TimePoint now);
  void grant(uint64_t granted);

  // first_warning is true once, when the version is nearly used up.
  bool first_warning();

 private:
  static constexpr uint64_t kClosed = 1ull << 63;
  Result<> refused(uint64_t used);
  bool is_sparing() const { return largest_block_ != kAnyBlock; }

  std::atomic<uint64_t> used_;
  std::atomic<uint64_t> granted_;
  std::atomic<uint64_t> ring_at_;
  std::atomic<bool> asked_{false};  // for more, of a sparing counter
  const uint64_t limit_;
  const uint64_t largest_block_;
  std::atomic<Status> closing_status_{Status::kKeyNotFound};
  const std::shared_ptr<RefillBell> bell_;

  // reserving side
  uint64_t block_ = 0;
  uint64_t used_at_refill_;
  platform::TimePoint last_refill_{};
  bool warned_ = false;
};

// refill_block is how many uses to reserve ahead: enough for several seconds at the rate of the last `uses` in
// `elapsed`, so that a slow disk never holds up requests; few enough that a crash does not waste a version's limit.
uint64_t refill_block(uint64_t uses, platform::Duration elapsed, uint64_t smallest);

}  // namespace wvds::keystore
