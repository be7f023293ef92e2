#include "crypto/base64.h"

#include <algorithm>

#include "crypto/openssl_error.h"
#include "crypto/openssl_handles.h"

namespace wvds::crypto {
namespace {

constexpr size_t kGroupBytes = 3;
constexpr size_t kGroupCharacters = 4;

bool in_alphabet(std::byte byte) {
  const char c = std::to_integer<char>(byte);
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

size_t padding_of(Bytes text) {
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == std::byte{'='}) ++padding;
  return padding;
}

// OpenSSL's decoder takes white space around and padding anywhere, and doesn't look at bits that nobody uses.
bool well_formed(Bytes text) {
  if (text.size() % kGroupCharacters != 0 || text.size() > kMaxBase64Input) return false;
  return std::ranges::all_of(text.first(text.size() - padding_of(text)), in_alphabet);
}

bool last_group_is_canonical(Bytes text, Bytes decoded) {
  if (padding_of(text) == 0) return true;
  const size_t whole = decoded.size() / kGroupBytes * kGroupBytes;
  const auto again = base64_encode(decoded.subspan(whole));
  return again && std::ranges::equal(*again, text.last(kGroupCharacters));
}

std::unexpected<Error> not_base64() { return fail(Status::kInvalidPayload, "not base64 in its one form"); }

}  // namespace

Result<WipedBuffer> base64_encode(Bytes data) {
  if (data.size() > kMaxBase64Input) return fail(Status::kInvalidPayload, "too much for base64");
  const size_t size = (data.size() + kGroupBytes - 1) / kGroupBytes * kGroupCharacters;
  WipedBuffer text(size + 1);  // OpenSSL ends it with a zero
  EVP_EncodeBlock(data_of(MutableBytes(text)), data_of(data), static_cast<int>(data.size()));
  text.resize(size);
  return text;
}

Result<WipedBuffer> base64_decode(Bytes text) {
  if (!well_formed(text)) return not_base64();
  if (text.empty()) return WipedBuffer();
  WipedBuffer data(text.size() / kGroupCharacters * kGroupBytes);
  const int decoded = EVP_DecodeBlock(data_of(MutableBytes(data)), data_of(text), static_cast<int>(text.size()));
  if (decoded < 0 || static_cast<size_t>(decoded) != data.size()) {
    clear_openssl_errors();
    return not_base64();
  }
  data.resize(data.size() - padding_of(text));
  if (!last_group_is_canonical(text, data)) return not_base64();
  return data;
}

}  // namespace wvds::crypto
