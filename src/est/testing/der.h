#pragma once

#include <initializer_list>
#include <vector>

#include "base/bytes.h"
#include "est/x509_handles.h"

// Writes DER for tests, right and wrong.
namespace wvds::est::der {

using Der = std::vector<std::byte>;

inline Der joined(std::initializer_list<Der> parts) {
  Der out;
  for (const Der& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

// tlv writes one element with a tag of one byte.
inline Der tlv(unsigned tag, Bytes content) {
  const size_t n = content.size();
  Der out{static_cast<std::byte>(tag)};
  const auto byte = [&](size_t value) { out.push_back(static_cast<std::byte>(value & 0xff)); };
  const int more = n < 0x80 ? 0 : n < 0x100 ? 1 : n < 0x10000 ? 2 : 3;
  if (more > 0) byte(0x80u + static_cast<unsigned>(more));
  for (int i = more > 0 ? more - 1 : 0; i >= 0; --i) byte(n >> (8 * i));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

inline Der sequence(std::initializer_list<Der> parts) { return tlv(0x30, joined(parts)); }
inline Der set(std::initializer_list<Der> parts) { return tlv(0x31, joined(parts)); }

inline Der oid(const char* number) {
  const ObjectHandle object(OBJ_txt2obj(number, 1));
  return encoded_by(i2d_ASN1_OBJECT, object.get());
}

}  // namespace wvds::est::der
