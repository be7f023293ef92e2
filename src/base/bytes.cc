#include "base/bytes.h"

#include <algorithm>
#include <array>
#include <string>

namespace wvds {

MutableBytes UntrustedBytes::copy_to(MutableBytes target) const {
  copy_bytes(bytes_, target);
  return target.first(bytes_.size());
}

bool Reader::claim(size_t count) {
  if (failed_ || count > source_.size() - position_) failed_ = true;
  return !failed_;
}

void Reader::take_into(MutableBytes target) {
  if (claim(target.size())) {
    source_.subspan(position_, target.size()).copy_to(target);
    position_ += target.size();
  } else {
    std::ranges::fill(target, std::byte{0});
  }
}

uint64_t Reader::number(size_t width) {
  std::array<std::byte, 8> raw{};
  take_into(std::span(raw).first(width));
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | std::to_integer<uint64_t>(raw[i]);
  return value;
}

UntrustedBytes Reader::bytes(size_t count) {
  if (!claim(count)) return {};
  const UntrustedBytes taken = source_.subspan(position_, count);
  position_ += count;
  return taken;
}

std::string Reader::text(size_t count) {
  if (!claim(count)) return {};
  std::string out(count, '\0');
  take_into(std::as_writable_bytes(std::span(out)));
  return out;
}

Result<> Reader::finish() const {
  if (failed_) return fail(Status::kInvalidPayload, "payload shorter than its fields say");
  if (position_ != source_.size()) return fail(Status::kInvalidPayload, "payload longer than its fields say");
  return {};
}

MutableBytes Writer::reserve(size_t count) {
  if (failed_ || count > target_.size() - position_) {
    failed_ = true;
    return {};
  }
  const MutableBytes part = target_.subspan(position_, count);
  position_ += count;
  return part;
}

void Writer::bytes(Bytes value) {
  const MutableBytes part = reserve(value.size());
  if (!part.empty()) copy_bytes(value, part);
}

void Writer::zeros(size_t count) { std::ranges::fill(reserve(count), std::byte{0}); }

void Writer::number(uint64_t value, size_t width) {
  for (std::byte& out : reserve(width)) {
    out = static_cast<std::byte>(value & 0xff);
    value >>= 8;
  }
}

Result<size_t> Writer::finish() const {
  if (failed_) return fail(Status::kBufferTooSmall, "message does not fit its buffer");
  return position_;
}

}  // namespace wvds
