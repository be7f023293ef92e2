#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

// Argon2id (RFC 9106, version 0x13), which derives keys from passphrases. Not approved for FIPS.
namespace wvds::crypto {

struct Argon2idCost {
  uint32_t memory_kib = 0;
  uint32_t passes = 0;
  uint32_t lanes = 0;

  bool operator==(const Argon2idCost&) const = default;
};

// The second recommended option of RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes.
inline constexpr Argon2idCost kArgon2idCost{.memory_kib = 64 * 1024, .passes = 3, .lanes = 4};

inline constexpr uint32_t kMaxArgon2idMemory = 1024 * 1024;  // KiB

// Argon2idInputs are those of RFC 9106, section 3.1.
struct Argon2idInputs {
  Bytes passphrase;
  Bytes salt;  // at least 8 bytes
  Bytes secret = {};
  Bytes associated = {};
};

// argon2id fills `out` (4 to 1,024 bytes) on the calling thread. It blocks for as long as the cost says, and needs
// `memory_kib` of memory, which is wiped before it is given back, and must be lockable where the library was loaded
// with locked_memory_required. kInvalidPayload for inputs or a cost that RFC 9106 forbids, and for more than
// kMaxArgon2idMemory; kLimitReached, saying how much, where the memory can't be had; kCryptoError otherwise. On failure
// `out` is wiped.
Result<> argon2id(const Library& library, const Argon2idInputs& inputs, const Argon2idCost& cost, MutableBytes out);

// run_argon2id is the part of it that each operating system has a file of its own for: linux/argon2id.cc says why.
// Inputs and cost are checked already.
Result<> run_argon2id(const Library& library, const Argon2idInputs& inputs, const Argon2idCost& cost, MutableBytes out);

// no_argon2id_memory is what it answers where the memory can't be had.
std::unexpected<Error> no_argon2id_memory(const Argon2idCost& cost);

}  // namespace wvds::crypto
