// Fuzzes decode_body and encode_body. Properties: what was decoded encodes to the input without its white space and the
// one zero byte at its end; what was encoded decodes to the input; the limit holds.

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <span>

#include "est/base64.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_white(std::byte byte) {
  const char c = std::to_integer<char>(byte);
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

wvds::Bytes without_end(wvds::Bytes text) {
  return !text.empty() && text.back() == std::byte{0} ? text.first(text.size() - 1) : text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds;
  constexpr size_t kLimit = 1000;
  const Bytes input = std::as_bytes(std::span(data, size));
  const auto decoded = est::decode_body(input, kLimit);
  if (decoded) {
    require(decoded->size() <= kLimit);
    WipedBuffer packed;
    std::ranges::copy_if(without_end(input), std::back_inserter(packed), [](std::byte b) { return !is_white(b); });
    require(est::encode_body(*decoded) == packed);
  }
  const auto encoded = est::encode_body(input);
  require(encoded.has_value());
  const auto again = est::decode_body(*encoded, size);
  require(again.has_value() && std::ranges::equal(*again, input));
  return 0;
}
