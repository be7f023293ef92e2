#include "est/base64.h"

#include <algorithm>
#include <iterator>

#include "crypto/base64.h"
#include "est/text.h"

namespace wvds::est {
namespace {

bool is_white(std::byte byte) {
  return byte == std::byte{' '} || byte == std::byte{'\t'} || byte == std::byte{'\r'} || byte == std::byte{'\n'};
}

bool may_stand_in_base64(std::byte byte) {
  const char c = std::to_integer<char>(byte);
  return is_digit(c) || is_letter(c) || c == '+' || c == '/' || c == '=';
}

std::unexpected<Failure> bad(std::string what) { return failed(FailureKind::kBadBase64, std::move(what)); }

// kind_of names what else a body may be. Nothing of the body is shown: it may hold a private key.
const char* kind_of(std::string_view body) {
  if (body.starts_with("-----BEGIN")) return "; it is PEM";
  if (body.starts_with('<')) return "; it is HTML or XML";
  if (body.starts_with('{')) return "; it is JSON";
  return body.starts_with('0') ? "; it may be DER without base64" : "";
}

std::unexpected<Failure> explain(Bytes text, size_t packed) {
  const auto wrong = std::ranges::find_if_not(text, [](std::byte b) { return is_white(b) || may_stand_in_base64(b); });
  if (wrong != text.end()) {
    return bad("character " + std::to_string(wrong - text.begin() + 1) + " of the body is not base64" +
               kind_of(text_of(text)));
  }
  if (packed % 4 != 0) return bad("the base64 text breaks off after " + std::to_string(packed) + " characters");
  return bad("the base64 text has padding or bits where none belong");
}

std::unexpected<Failure> too_large(size_t limit) {
  return failed(FailureKind::kTooLarge, "the body decodes to more than " + std::to_string(limit) + " bytes");
}

}  // namespace

Outcome<WipedBuffer> encode_body(Bytes data) {
  auto text = crypto::base64_encode(data);
  if (!text) return failed(FailureKind::kTooLarge, std::move(text.error().detail));
  return std::move(*text);
}

Outcome<WipedBuffer> decode_body(Bytes text, size_t limit) {
  if (!text.empty() && text.back() == std::byte{0}) text = text.first(text.size() - 1);
  WipedBuffer packed;
  packed.reserve(text.size());
  std::ranges::copy_if(text, std::back_inserter(packed), [](std::byte b) { return !is_white(b); });
  if (packed.size() / 4 * 3 > limit + 2 || packed.size() > crypto::kMaxBase64Input) return too_large(limit);
  auto data = crypto::base64_decode(packed);
  if (!data) return explain(text, packed.size());
  if (data->size() > limit) return too_large(limit);
  return std::move(*data);
}

}  // namespace wvds::est
