#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/secret.h"

namespace wvds {

// WipingAllocator wipes what it gives back, so that a container leaves nothing behind when it grows or ends.
template <class T, template <class> class Upstream = std::allocator>
struct WipingAllocator {
  using value_type = T;
  template <class U>
  struct rebind {
    using other = WipingAllocator<U, Upstream>;
  };

  WipingAllocator() = default;
  template <class U>
  explicit(false) WipingAllocator(const WipingAllocator<U, Upstream>&) {}

  T* allocate(size_t count) { return Upstream<T>().allocate(count); }
  void deallocate(T* memory, size_t count) {
    secure_wipe(memory, count * sizeof(T));
    Upstream<T>().deallocate(memory, count);
  }
  friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

// WipedBuffer holds bytes of a message that may carry a secret (a password in a request, a private key in an answer)
// and may grow. Ordinary memory, wiped: what lives longer than one exchange is in crypto::LockedBytes.
using WipedBuffer = std::vector<std::byte, WipingAllocator<std::byte>>;

inline void append(WipedBuffer& buffer, Bytes bytes) { buffer.insert(buffer.end(), bytes.begin(), bytes.end()); }
inline void append(WipedBuffer& buffer, std::string_view text) { append(buffer, as_bytes(text)); }

// append_hex adds two lower-case digits for each byte, without a branch or an index that depends on it.
inline void append_hex(WipedBuffer& buffer, Bytes bytes) {
  const auto digit = [](int value) {
    return static_cast<std::byte>('0' + value + (((9 - value) >> 8) & ('a' - '0' - 10)));
  };
  for (const std::byte byte : bytes) {
    buffer.push_back(digit(std::to_integer<int>(byte >> 4)));
    buffer.push_back(digit(std::to_integer<int>(byte & std::byte{0x0f})));
  }
}

// text_of looks at bytes as text.
inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

}  // namespace wvds
