#pragma once

#include <cstdint>
#include <span>

// What a process of the product may ask of the kernel. docs/sandbox.md has the same list for readers.
namespace wvds::platform {

// Confined is a kind of process with a list of its own; the values are bits.
enum class Confined : uint8_t {
  kCryptoService = 1,
  kEstService = 2,
  kTokenModule = 4,  // the process that a vendor's PKCS#11 module runs in
};

// CallGroup is calls that are needed for the same purpose.
struct CallGroup {
  const char* name;
  uint8_t who;  // bits of Confined
  std::span<const char* const> calls;

  bool is_for(Confined kind) const { return (who & static_cast<uint8_t>(kind)) != 0; }
};

// allowed_calls lists what may be called whatever the arguments are, conditional_calls what call_filter.cc allows for
// some arguments only, lethal_calls what only a program that was broken into asks for: that ends the process. A call of
// another architecture has no number here and is left out.
std::span<const CallGroup> allowed_calls();
std::span<const CallGroup> conditional_calls();
std::span<const CallGroup> lethal_calls();

}  // namespace wvds::platform
