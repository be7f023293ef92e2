#pragma once

#include <cstddef>
#include <span>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace wvds::crypto {

// wipe overwrites `bytes` in a way the compiler may not remove; an empty span is fine.
inline void wipe(MutableBytes bytes) {
  if (!bytes.empty()) secure_wipe(bytes.data(), bytes.size());
}

// LockedBytes owns secret bytes in OpenSSL's secure heap: locked, left out of core dumps, wiped on release. Where the
// heap is exhausted or could not be locked it falls back to ordinary wiped memory and Library::memory_locked() tells;
// with locked_memory_required that is kLimitReached. Move-only.
class LockedBytes {
 public:
  static Result<LockedBytes> copy_of(Bytes secret);
  static Result<LockedBytes> of_size(size_t size);  // zeroed

  LockedBytes() = default;
  LockedBytes(LockedBytes&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  LockedBytes& operator=(LockedBytes&& other) noexcept;
  LockedBytes(const LockedBytes&) = delete;
  LockedBytes& operator=(const LockedBytes&) = delete;
  bool operator==(const LockedBytes&) const = delete;
  ~LockedBytes();

  size_t size() const { return size_; }
  Bytes expose() const { return {data_, size_}; }
  MutableBytes expose_for_writing() { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace wvds::crypto
