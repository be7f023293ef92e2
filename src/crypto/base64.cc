#include "crypto/base64.h"

namespace wvds::crypto {
namespace {

constexpr size_t kGroupBytes = 3;
constexpr size_t kGroupCharacters = 4;

// What is encoded may be a password, what is decoded a private key. So there is no table, which a cache would remember
// the places of, and no branch: each character goes the same way. OpenSSL's encoder has a table.

// mask_if_in has all bits set where first <= value <= last, and none elsewhere. For small numbers.
constexpr int mask_if_in(int value, int first, int last) { return ((first - 1 - value) & (value - last - 1)) >> 8; }

// character_of requires 0 <= value < 64.
constexpr std::byte character_of(int value) {
  const int character = (mask_if_in(value, 0, 25) & ('A' + value)) | (mask_if_in(value, 26, 51) & ('a' + value - 26)) |
                        (mask_if_in(value, 52, 61) & ('0' + value - 52)) | (mask_if_in(value, 62, 62) & '+') |
                        (mask_if_in(value, 63, 63) & '/');
  return static_cast<std::byte>(character);
}

// value_of is less than 0 for what is no character of the alphabet.
constexpr int value_of(std::byte byte) {
  const int c = std::to_integer<int>(byte);
  return ((mask_if_in(c, 'A', 'Z') & (c - 'A' + 1)) | (mask_if_in(c, 'a', 'z') & (c - 'a' + 27)) |
          (mask_if_in(c, '0', '9') & (c - '0' + 53)) | (mask_if_in(c, '+', '+') & 63) |
          (mask_if_in(c, '/', '/') & 64)) -
         1;
}

constexpr int byte_at(Bytes data, size_t index) { return index < data.size() ? std::to_integer<int>(data[index]) : 0; }

size_t padding_of(Bytes text) {
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == std::byte{'='}) ++padding;
  return padding;
}

std::unexpected<Error> not_base64() { return fail(Status::kInvalidPayload, "not base64 in its one form"); }

}  // namespace

Result<WipedBuffer> base64_encode(Bytes data) {
  if (data.size() > kMaxBase64Input) return fail(Status::kInvalidPayload, "too much for base64");
  const size_t groups = (data.size() + kGroupBytes - 1) / kGroupBytes;
  WipedBuffer text(groups * kGroupCharacters);
  for (size_t group = 0; group < groups; ++group) {
    const size_t at = group * kGroupBytes;
    const int bits = (byte_at(data, at) << 16) | (byte_at(data, at + 1) << 8) | byte_at(data, at + 2);
    for (size_t i = 0; i < kGroupCharacters; ++i)
      text[group * kGroupCharacters + i] = character_of((bits >> (18 - 6 * i)) & 63);
  }
  const size_t padding = groups * kGroupBytes - data.size();
  for (size_t i = 0; i < padding; ++i) text[text.size() - 1 - i] = std::byte{'='};
  return text;
}

Result<WipedBuffer> base64_decode(Bytes text) {
  if (text.size() % kGroupCharacters != 0 || text.size() > kMaxBase64Input) return not_base64();
  const size_t padding = padding_of(text);
  const size_t used = text.size() - padding;
  WipedBuffer data(text.size() / kGroupCharacters * kGroupBytes);
  int wrong = 0;  // less than 0, or bits that nobody uses
  for (size_t group = 0; group < text.size() / kGroupCharacters; ++group) {
    int bits = 0;
    for (size_t i = group * kGroupCharacters; i < (group + 1) * kGroupCharacters; ++i) {
      const int value = i < used ? value_of(text[i]) : 0;
      wrong |= value & ~63;
      bits = (bits << 6) | (value & 63);
    }
    const MutableBytes out = MutableBytes(data).subspan(group * kGroupBytes, kGroupBytes);
    for (size_t i = 0; i < kGroupBytes; ++i) out[i] = static_cast<std::byte>(bits >> (16 - 8 * i) & 0xff);
  }
  for (size_t i = 0; i < padding; ++i) wrong |= std::to_integer<int>(data[data.size() - 1 - i]);
  if (declassified(wrong != 0)) return not_base64();
  data.resize(data.size() - padding);
  return data;
}

}  // namespace wvds::crypto
