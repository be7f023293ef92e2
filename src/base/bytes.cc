#include "base/bytes.h"

#include <algorithm>
#include <string>

namespace wvds {

MutableBytes UntrustedBytes::copy_to(MutableBytes target) const {
  copy_bytes(bytes_, target);
  return target.first(bytes_.size());
}

void Reader::take_into(MutableBytes target) {
  if (claim(target.size())) {
    source_.subspan(position_, target.size()).copy_to(target);
    position_ += target.size();
  } else {
    std::ranges::fill(target, std::byte{0});
  }
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

void Writer::bytes(Bytes value) {
  const MutableBytes part = reserve(value.size());
  if (!part.empty()) copy_bytes(value, part);
}

void Writer::zeros(size_t count) { std::ranges::fill(reserve(count), std::byte{0}); }

Result<size_t> Writer::finish() const {
  if (failed_) return fail(Status::kBufferTooSmall, "message does not fit its buffer");
  return position_;
}

}  // namespace wvds
