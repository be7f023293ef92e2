#pragma once

#include <optional>
#include <string>

#include "keystore/format.h"
#include "keystore/rollback_counter.h"
#include "platform/clock.h"

namespace wvds::keystore {

// RollbackGuard keeps the value that the index carries and the rollback counter in step: docs/storage-format.md,
// "Rollback counter". An index is durable before the counter shows its value. Guarded by the store's change lock.
class RollbackGuard {
 public:
  // `counter` must outlive this; with null nothing is guarded.
  explicit RollbackGuard(RollbackCounter* counter) : counter_(counter) {}

  bool in_use() const { return counter_ != nullptr; }

  // adopt compares what an index carries with the counter. kStorageError when the index is older than the counter, or
  // the counter can't be read.
  Result<> adopt(const Extensions& index);

  // note_change says that keys were made, changed or deleted since the last index. (Opening counts as one.)
  void note_change() { changed_ = true; }

  // mark gives the next index its value; a new one where keys changed, but at most one a second unless this index is
  // the last. Without a counter it takes away what another protector left.
  void mark(Extensions& index, platform::TimePoint now, bool is_last);

  // written says that the marked index is durable, and advances the counter to it. Blocks as long as the counter does.
  void written(platform::TimePoint now);

  // owes_mark tells whether a change came too soon after the last value to get one of its own.
  bool owes_mark() const { return in_use() && changed_; }

  // failure is why the counter could not be advanced; empty while all is well.
  const std::string& failure() const { return failure_; }

 private:
  bool is_due(platform::TimePoint now) const;

  RollbackCounter* const counter_;
  uint64_t known_ = 0;    // what the counter shows
  uint64_t carried_ = 0;  // by the newest durable index: known_ or one more
  uint64_t marked_ = 0;   // by the index that is about to be written
  bool changed_ = true;
  bool marks_change_ = false;
  std::optional<platform::TimePoint> last_try_;  // of advancing
  std::string failure_;
};

}  // namespace wvds::keystore
