#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "access/principal.h"

namespace wvds::service {

using access::Principal;
using access::PrincipalTable;

// Rights is who may do what at present: a table that nobody changes, exchanged as a whole by a reload. A session
// compares the generation at each request, which is one load, and takes the table over when there is another one.
// Thread-safe.
class Rights {
 public:
  explicit Rights(std::shared_ptr<const PrincipalTable> table) : table_(std::move(table)) {}

  // generation is never 0. The table that is asked for after it is at least as new.
  uint64_t generation() const { return generation_.load(std::memory_order_acquire); }

  std::shared_ptr<const PrincipalTable> table() const {
    const std::lock_guard lock(mutex_);
    return table_;
  }

  void publish(std::shared_ptr<const PrincipalTable> table) {
    const std::lock_guard lock(mutex_);
    table_ = std::move(table);
    generation_.fetch_add(1, std::memory_order_release);
  }

 private:
  std::atomic<uint64_t> generation_{1};
  mutable std::mutex mutex_;
  std::shared_ptr<const PrincipalTable> table_;
};

}  // namespace wvds::service
