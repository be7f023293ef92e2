#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace wvds::keystore {

using RollbackBinding = std::array<std::byte, 16>;

// RollbackCounter is a number outside the store's medium that only grows: by it the store sees that somebody has put an
// older state of the whole medium back. docs/storage-format.md, "Rollback counter", says how. One call at a time; each
// blocks as long as the device takes, some tenths of a second.
class RollbackCounter {
 public:
  virtual ~RollbackCounter() = default;

  // binding is random and made with the store's header: an index that carries another one was written before.
  virtual RollbackBinding binding() const = 0;

  // first is what the counter showed when the header was made.
  virtual uint64_t first() const = 0;

  // read returns the counter's value; kStorageError when the device does not give it.
  virtual Result<uint64_t> read() = 0;

  // advance_to makes the value `value`, which must be the present one or one more; the present one is left as it is, so
  // that a try whose answer was lost may be repeated. Anything else is kStorageError.
  virtual Result<> advance_to(uint64_t value) = 0;
};

}  // namespace wvds::keystore
