#pragma once

#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

// Bytes as people write them, for tests.
namespace wvds::protocol::testing {

using Buffer = std::vector<std::byte>;

inline Buffer repeated(uint8_t value, size_t count) { return Buffer(count, std::byte{value}); }

inline Buffer text(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

inline Buffer join(std::initializer_list<Buffer> parts) {
  Buffer all;
  for (const Buffer& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// hex reads "C7 01 A1*1184": two digits each, and value*count for a run. Anything else throws.
inline Buffer hex(std::string_view source) {
  Buffer out;
  size_t at = 0;
  while ((at = source.find_first_not_of(" \n", at)) != std::string_view::npos) {
    const size_t end = std::min(source.find_first_of(" \n", at), source.size());
    const std::string token(source.substr(at, end - at));
    size_t used = 0;
    const auto value = static_cast<uint8_t>(std::stoul(token, &used, 16));
    if (used != 2) throw std::invalid_argument(token);
    const size_t count = token.size() > 2 && token[2] == '*' ? std::stoul(token.substr(3)) : 1;
    if (token.size() > 2 && token[2] != '*') throw std::invalid_argument(token);
    out.insert(out.end(), count, std::byte{value});
    at = end;
  }
  return out;
}

inline std::string to_hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const std::byte b : bytes) {
    out += kDigits[std::to_integer<size_t>(b) >> 4];
    out += kDigits[std::to_integer<size_t>(b) & 15];
    out += ' ';
  }
  return out;
}

inline Buffer copy_of(UntrustedBytes bytes) {
  Buffer out(bytes.size());
  bytes.copy_to(out);
  return out;
}

inline UntrustedBytes untrusted(const Buffer& bytes) { return UntrustedBytes(Bytes(bytes)); }
UntrustedBytes untrusted(Buffer&& bytes) = delete;  // decoded messages point into it

// encoded runs an encoder, `Result<size_t>(MutableBytes)`, in a buffer that is large enough for everything.
template <class Encoder>
Buffer encoded(const Encoder& encode) {
  Buffer out(1 << 20);
  const Result<size_t> length = encode(MutableBytes(out));
  if (!length) throw std::invalid_argument(status_name(length.error().status));
  out.resize(*length);
  return out;
}

template <class Message>
Buffer encoding_of(const Message& message) {
  return encoded([&](MutableBytes out) { return message.encode(out); });
}

// status_of is what a decoder said about `payload`.
template <class Message>
Status status_of(const Buffer& payload) {
  const auto decoded = Message::decode(untrusted(payload));
  return decoded ? Status::kSuccess : decoded.error().status;
}

// A decoder of exact lengths refuses each shorter prefix and one byte more.
template <class Message>
bool refuses_every_prefix(const Buffer& payload, size_t shortest = 0) {
  for (size_t length = shortest; length < payload.size(); ++length) {
    if (status_of<Message>(Buffer(payload.begin(), payload.begin() + static_cast<ptrdiff_t>(length))) !=
        Status::kInvalidPayload) {
      return false;
    }
  }
  return true;
}

template <class Message>
bool refuses_one_byte_more(Buffer payload) {
  payload.push_back(std::byte{0});
  return status_of<Message>(payload) == Status::kInvalidPayload;
}

// changed is `payload` with one byte replaced.
inline Buffer changed(Buffer payload, size_t offset, uint8_t value) {
  payload.at(offset) = std::byte{value};
  return payload;
}

}  // namespace wvds::protocol::testing
