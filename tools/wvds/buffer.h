#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace wvds::tool {

using ByteView = std::span<const uint8_t>;

// Buffer holds bytes that may be secret: it has its room from the start, never moves them to another place in memory,
// and wipes them at its end.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t room) : bytes_(new uint8_t[room == 0 ? 1 : room]()), room_(room) {}
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() {
    if (bytes_ == nullptr) return;
    std::memset(bytes_.get(), 0, room_);
    __asm__ __volatile__("" : : "r"(bytes_.get()) : "memory");  // keeps the compiler from leaving the memset out
  }

  uint8_t* data() { return bytes_.get(); }
  const uint8_t* data() const { return bytes_.get(); }
  size_t room() const { return room_; }
  size_t size() const { return size_; }
  size_t* size_out() { return &size_; }  // for the library's out_len
  void set_size(size_t size) { size_ = size; }
  ByteView view() const { return {bytes_.get(), size_}; }

  // append requires that the bytes fit into room().
  void append(ByteView more) {
    if (!more.empty()) std::memcpy(bytes_.get() + size_, more.data(), more.size());
    size_ += more.size();
  }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(room_, other.room_);
    std::swap(size_, other.size_);
  }
  std::unique_ptr<uint8_t[]> bytes_;
  size_t room_ = 0;
  size_t size_ = 0;
};

}  // namespace wvds::tool
