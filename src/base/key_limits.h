#pragma once

#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"

namespace wvds {

// KeyLimits bound what a key may be used for. 0: no such limit. Both a part of the wire (docs/protocol.md, "Limits of a
// key") and of the store (docs/storage-format.md).
struct KeyLimits {
  uint64_t max_uses = 0;    // of each version: encryptions, signatures, decapsulations
  uint64_t not_before = 0;  // Unix time in seconds: the key is used for nothing before
  uint64_t not_after = 0;   // the last second in which it protects anything new

  constexpr bool any() const { return max_uses != 0 || has_dates(); }
  constexpr bool has_dates() const { return not_before != 0 || not_after != 0; }
  bool operator==(const KeyLimits&) const = default;
};

inline constexpr uint64_t kMostUses = 1ull << 48;
inline constexpr uint64_t kLastDate = 253'402'300'799;  // 9999-12-31T23:59:59Z

// uses_secret tells whether a key of these usages does anything with its secret that gives something away and so can be
// counted: it encrypts, signs or decapsulates.
constexpr bool uses_secret(Usages usages) {
  return allows(usages, Usage::kEncrypt) || allows(usages, Usage::kSign) || allows(usages, Usage::kSignMu) ||
         allows(usages, Usage::kTlsAndCsr) || allows(usages, Usage::kDecapsRaw) || allows(usages, Usage::kDecapsToKey);
}

// limits_are_sound tells whether limits mean something, whatever the key is: no number is out of bounds, and a key that
// ends begins before.
constexpr bool limits_are_sound(const KeyLimits& limits) {
  return limits.max_uses <= kMostUses && limits.not_before <= kLastDate && limits.not_after <= kLastDate &&
         (limits.not_after == 0 || limits.not_before < limits.not_after);
}

// Limits as they stand in messages and in the store: three u64 in the order of the structure.
inline constexpr size_t kLimitsSize = 24;

inline void write_limits(Writer& writer, const KeyLimits& limits) {
  writer.u64(limits.max_uses);
  writer.u64(limits.not_before);
  writer.u64(limits.not_after);
}

inline KeyLimits read_limits(Reader& reader) {
  KeyLimits limits;
  limits.max_uses = reader.u64();
  limits.not_before = reader.u64();
  limits.not_after = reader.u64();
  return limits;
}

}  // namespace wvds
