#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wvds {

static_assert(std::endian::native == std::endian::little, "numbers on the wire and on disk are copied as they are");

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// copy_bytes copies all of `source` to the beginning of `target`, which must be as large and must not overlap it. (A
// loop or std::ranges::copy over std::byte is not made a memcpy by every compiler.)
inline void copy_bytes(Bytes source, MutableBytes target) {
  if (!source.empty()) std::memcpy(target.data(), source.data(), source.size());
}

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }

// UntrustedBytes are bytes that another program may change while they are read. The length is private and already
// checked against the area; the content is a claim. Copy it out before looking at it. in_place() is for the two uses
// that stay safe when the content changes under them (plaintext to encrypt and a message to hash, each read once);
// DESIGN's "Zero copy, and where it stops" gives the reasons.
class UntrustedBytes {
 public:
  UntrustedBytes() = default;
  explicit UntrustedBytes(Bytes bytes) : bytes_(bytes) {}

  size_t size() const { return bytes_.size(); }
  bool empty() const { return bytes_.empty(); }

  // copy_to copies all bytes once, into private memory of at least size() bytes; returns the filled part.
  MutableBytes copy_to(MutableBytes target) const;

  Bytes in_place() const { return bytes_; }

  // first and subspan require the caller to stay within size().
  UntrustedBytes first(size_t count) const { return UntrustedBytes(bytes_.first(count)); }
  UntrustedBytes subspan(size_t offset, size_t count) const { return UntrustedBytes(bytes_.subspan(offset, count)); }

 private:
  Bytes bytes_;
};

// Reader walks untrusted little-endian bytes; each value is read from memory once. The only parser of binary data
// in the product: no other code does arithmetic on pointers into received bytes. The first failed read makes all later
// ones fail too, so a decoder may read all fields and ask once, at the end.
class Reader {
 public:
  explicit Reader(UntrustedBytes source) : source_(source) {}
  explicit Reader(Bytes source) : source_(UntrustedBytes(source)) {}

  uint8_t u8() { return number<uint8_t>(); }
  uint16_t u16() { return number<uint16_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  uint64_t u64() { return number<uint64_t>(); }

  // bytes takes the next `count` bytes, rest all that are left, copy fills private memory.
  UntrustedBytes bytes(size_t count);
  UntrustedBytes rest() { return bytes(left()); }
  void copy(MutableBytes target) { take_into(target); }

  // text copies a string of at most `count` bytes out; empty after a failed read.
  std::string text(size_t count);

  size_t left() const { return failed_ ? 0 : source_.size() - position_; }
  bool failed() const { return failed_; }

  // finish is success when every read succeeded and nothing is left over, else kInvalidPayload.
  Result<> finish() const;

 private:
  // The value is hidden from the compiler after the copy, so that it can't decide to read the bytes a second time.
  template <class Number>
  Number number() {
    Number value = 0;
    if (!claim(sizeof value)) return 0;
    std::memcpy(&value, source_.in_place().data() + position_, sizeof value);
    __asm__ __volatile__("" : "+r"(value));
    position_ += sizeof value;
    return value;
  }

  bool claim(size_t count) {
    if (failed_ || count > source_.size() - position_) failed_ = true;
    return !failed_;
  }

  void take_into(MutableBytes target);

  UntrustedBytes source_;
  size_t position_ = 0;
  bool failed_ = false;
};

// Writer fills a buffer with little-endian values. After the first value that does not fit, nothing more is written
// and finish() fails with kBufferTooSmall.
class Writer {
 public:
  explicit Writer(MutableBytes target) : target_(target) {}

  void u8(uint8_t value) { number(value); }
  void u16(uint16_t value) { number(value); }
  void u32(uint32_t value) { number(value); }
  void u64(uint64_t value) { number(value); }
  void bytes(Bytes value);
  void text(std::string_view value) { bytes(as_bytes(value)); }
  void zeros(size_t count);

  // reserve hands out the next `count` bytes for the caller to fill; empty when they do not fit.
  MutableBytes reserve(size_t count) {
    if (failed_ || count > target_.size() - position_) failed_ = true;
    if (failed_) return {};
    const MutableBytes part = target_.subspan(position_, count);
    position_ += count;
    return part;
  }

  size_t size() const { return position_; }
  size_t left() const { return failed_ ? 0 : target_.size() - position_; }
  Result<size_t> finish() const;

 private:
  template <class Number>
  void number(Number value) {
    const MutableBytes part = reserve(sizeof value);
    if (!part.empty()) std::memcpy(part.data(), &value, sizeof value);
  }

  MutableBytes target_;
  size_t position_ = 0;
  bool failed_ = false;
};

}  // namespace wvds
