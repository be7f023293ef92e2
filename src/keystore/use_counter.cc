#include "keystore/use_counter.h"

#include <algorithm>
#include <utility>

namespace wvds::keystore {
namespace {

constexpr double kSecondsAhead = 8;
constexpr uint64_t kLargestBlock = 1ull << 28;
constexpr uint64_t kNever = UINT64_MAX;
// The first refill comes before there is a rate to go by.
constexpr uint64_t kFirstRefill = 16;

// A refill is asked for when a quarter of the block is gone: the rest has to last while the disk works.
uint64_t ring_mark(uint64_t granted, uint64_t block, uint64_t limit) {
  return granted >= limit ? kNever : granted - std::min(granted, block / 4 * 3);
}

}  // namespace

uint64_t refill_block(uint64_t uses, platform::Duration elapsed, uint64_t smallest) {
  const double seconds = std::max(std::chrono::duration<double>(elapsed).count(), 1e-3);
  const double wanted = static_cast<double>(uses) / seconds * kSecondsAhead;
  const auto largest = static_cast<double>(std::max(kLargestBlock, smallest));
  return std::max(smallest, static_cast<uint64_t>(std::min(wanted, largest)));
}

UseCounter::UseCounter(uint64_t used, uint64_t granted, uint64_t limit, std::shared_ptr<RefillBell> bell,
                       uint64_t largest_block)
    : used_(std::min(used, limit)),
      granted_(std::min(granted, limit)),
      ring_at_(ring_mark(std::min(granted, limit), granted - std::min(used, granted), limit)),
      limit_(limit),
      largest_block_(largest_block),
      bell_(std::move(bell)),
      block_(granted_ - used_),
      used_at_refill_(used_) {}

Result<> UseCounter::count() {
  uint64_t used = used_.load(std::memory_order_relaxed);
  do {
    while (used >= granted_.load(std::memory_order_acquire)) {
      WVDS_TRY(refused(used));
      used = used_.load(std::memory_order_relaxed);
    }
  } while (!used_.compare_exchange_weak(used, used + 1, std::memory_order_relaxed));
  if (used >= ring_at_.load(std::memory_order_relaxed) && ring_at_.exchange(kNever) != kNever && bell_ != nullptr) {
    asked_.store(true);
    bell_->ring();
  }
  return {};
}

// refused is success when it is worth trying again.
Result<> UseCounter::refused(uint64_t used) {
  if ((used & kClosed) != 0) return fail(closing_status_);
  if (used >= limit_) return fail(Status::kKeyUsedUp);
  // Asked anew at each look: another worker may have taken what the last refill brought, or the last use there is.
  const auto has_more = [this] {
    const uint64_t now_used = used_.load();  // over the limit, too, when closed
    if (now_used < granted_.load() || now_used >= limit_) return true;
    asked_.store(true);
    return false;
  };
  if (bell_ != nullptr ? bell_->wait_until(has_more) : has_more()) return {};
  return fail(Status::kStorageError, "no further uses of the key could be reserved on disk");
}

uint64_t UseCounter::close(Status status) {
  closing_status_ = status;
  return used_.fetch_or(kClosed) & ~kClosed;
}

bool UseCounter::wants_more() const {
  if (closed() || granted() >= limit_ || (is_sparing() && !asked_.load())) return false;
  return used() + block_ / 4 * 3 >= granted();
}

uint64_t UseCounter::next_grant(uint64_t smallest_block, platform::TimePoint now) {
  // Whoever asks from here on gets an answer from the next refill: this one may have been worked out without them.
  asked_.exchange(false);
  if (is_sparing()) smallest_block = 1;
  const uint64_t used_now = used(), taken = used_now - used_at_refill_;
  if (last_refill_ != platform::TimePoint{}) {
    block_ = refill_block(taken, now - last_refill_, smallest_block);
  } else {
    block_ = taken == 0 ? smallest_block : kFirstRefill * smallest_block;
  }
  block_ = std::min(block_, largest_block_);
  last_refill_ = now;
  used_at_refill_ = used_now;
  return std::max(granted(), std::min(limit_, used_now + block_));
}

void UseCounter::grant(uint64_t granted) {
  granted_.store(granted, std::memory_order_release);
  ring_at_.store(ring_mark(granted, block_, limit_), std::memory_order_relaxed);
}

bool UseCounter::first_warning() {
  if (warned_ || closed() || !nearly_used_up()) return false;
  warned_ = true;
  return true;
}

}  // namespace wvds::keystore
