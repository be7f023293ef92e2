#include "crypto/locked_secret.h"

#include <cstring>

#include "crypto/secure_heap.h"

namespace wvds::crypto {

Result<LockedBytes> LockedBytes::of_size(size_t size) {
  LockedBytes made;
  if (size == 0) return made;
  made.data_ = static_cast<std::byte*>(allocate_secret(size));
  if (made.data_ == nullptr) return fail(Status::kLimitReached, "the locked memory for secrets is used up");
  made.size_ = size;
  return made;
}

Result<LockedBytes> LockedBytes::copy_of(Bytes secret) {
  WVDS_ASSIGN(made, of_size(secret.size()));
  if (!secret.empty()) std::memcpy(made.data_, secret.data(), secret.size());
  return made;
}

LockedBytes& LockedBytes::operator=(LockedBytes&& other) noexcept {
  if (this != &other) {
    release_secret(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

LockedBytes::~LockedBytes() { release_secret(data_, size_); }

}  // namespace wvds::crypto
