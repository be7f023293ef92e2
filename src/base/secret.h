#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace wvds {

// secure_wipe overwrites memory in a way the compiler may not remove.
inline void secure_wipe(void* memory, size_t length) {
  std::memset(memory, 0, length);
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

// declassified gives what was found out of a secret and may be known, such as the verdict on a tag: from here on a
// branch may depend on it. tests/constant_time takes its access for right, and no other one. What it gives is read from
// memory, so that no part of the secret is in it.
[[gnu::noinline]] inline bool declassified(bool secret_verdict) {
  static const volatile bool kVerdicts[] = {false, true};
  return kVerdicts[secret_verdict ? 1 : 0];
}

// Secret holds N secret bytes of one role. It can be moved (the source is wiped), never copied, printed or compared
// with ==; its destructor wipes it. Two roles of the same length are different types. For long-lived secrets use
// crypto::LockedSecret, which lives in locked memory; this one is for values that pass through a stack frame.
template <class Role, size_t N>
class Secret {
 public:
  static constexpr size_t kSize = N;

  Secret() = default;
  explicit Secret(std::span<const std::byte, N> bytes) { std::memcpy(bytes_.data(), bytes.data(), N); }
  Secret(Secret&& other) noexcept { take(other); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) take(other);
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  bool operator==(const Secret&) const = delete;
  ~Secret() { secure_wipe(bytes_.data(), N); }

  // expose gives the bytes to code that must read or fill them. Grep for it to see each place a secret is touched.
  std::span<const std::byte, N> expose() const { return bytes_; }
  std::span<std::byte, N> expose_for_writing() { return bytes_; }

 private:
  void take(Secret& other) {
    std::memcpy(bytes_.data(), other.bytes_.data(), N);
    secure_wipe(other.bytes_.data(), N);
  }
  std::array<std::byte, N> bytes_{};
};

struct AesKeyRole;
struct MlDsaSeedRole;
struct MlKemSeedRole;
struct SharedSecretRole;
struct StoreKeyRole;

using AesKeyBytes = Secret<AesKeyRole, 32>;
using MlDsaSeed = Secret<MlDsaSeedRole, 32>;        // FIPS 204, xi
using MlKemSeed = Secret<MlKemSeedRole, 64>;        // FIPS 203, d || z
using SharedSecret = Secret<SharedSecretRole, 32>;  // FIPS 203, K
using StoreKey = Secret<StoreKeyRole, 32>;          // a key-encryption key

}  // namespace wvds
