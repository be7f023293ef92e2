#pragma once

#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"

namespace wvds::keystore::hsm {

// WipedBytes owns bytes that may hold a secret and wipes them. Its size never grows, so that nothing is left behind by
// a reallocation. Move-only. For messages between the service and its helper; what lives longer is in
// crypto::LockedBytes.
class WipedBytes {
 public:
  WipedBytes() = default;
  explicit WipedBytes(size_t size) : bytes_(size) {}
  explicit WipedBytes(Bytes bytes) : bytes_(bytes.begin(), bytes.end()) {}
  WipedBytes(WipedBytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
  WipedBytes& operator=(WipedBytes&& other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  WipedBytes(const WipedBytes&) = delete;
  WipedBytes& operator=(const WipedBytes&) = delete;
  ~WipedBytes() {
    if (!bytes_.empty()) secure_wipe(bytes_.data(), bytes_.size());
  }

  size_t size() const { return bytes_.size(); }
  Bytes expose() const { return bytes_; }
  MutableBytes expose_for_writing() { return bytes_; }

  // shrink wipes what is behind the first `size` bytes.
  void shrink(size_t size) {
    secure_wipe(bytes_.data() + size, bytes_.size() - size);
    bytes_.resize(size);
  }

 private:
  std::vector<std::byte> bytes_;
};

}  // namespace wvds::keystore::hsm
