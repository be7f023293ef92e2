#pragma once

#include <deque>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "keystore/hsm/pkcs11_types.h"

namespace wvds::keystore::hsm {

// data_of is bytes as PKCS#11 takes them. Modules only read what is not mutable.
inline CK_BYTE* data_of(Bytes bytes) { return const_cast<CK_BYTE*>(reinterpret_cast<const CK_BYTE*>(bytes.data())); }
inline CK_BYTE* data_of(MutableBytes bytes) { return reinterpret_cast<CK_BYTE*>(bytes.data()); }

// Attributes is a template for a PKCS#11 call: it keeps the numbers and points to the bytes, which must outlive it.
class Attributes {
 public:
  Attributes() = default;
  // A moved deque keeps its elements where they are; its move may allocate.
  Attributes(Attributes&&) = default;  // NOLINT(performance-noexcept-move-constructor)
  Attributes& operator=(Attributes&&) = delete;

  Attributes& flag(CK_ATTRIBUTE_TYPE type, bool value) {
    flags_.push_back(value ? CK_TRUE : CK_FALSE);
    return add(type, &flags_.back(), sizeof(CK_BBOOL));
  }
  Attributes& number(CK_ATTRIBUTE_TYPE type, CK_ULONG value) {
    numbers_.push_back(value);
    return add(type, &numbers_.back(), sizeof(CK_ULONG));
  }
  Attributes& bytes(CK_ATTRIBUTE_TYPE type, Bytes value) {
    return add(type, const_cast<std::byte*>(value.data()), value.size());  // modules only read a template
  }
  Attributes& text(CK_ATTRIBUTE_TYPE type, std::string_view value) { return bytes(type, as_bytes(value)); }

  CK_ATTRIBUTE* data() { return list_.data(); }
  CK_ULONG size() const { return list_.size(); }

 private:
  Attributes& add(CK_ATTRIBUTE_TYPE type, void* value, size_t size) {
    list_.push_back({type, value, size});
    return *this;
  }

  std::vector<CK_ATTRIBUTE> list_;
  std::deque<CK_BBOOL> flags_;  // a deque: what is in it never moves
  std::deque<CK_ULONG> numbers_;
};

}  // namespace wvds::keystore::hsm
