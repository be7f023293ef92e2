#pragma once

#include <array>
#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

namespace wvds::crypto {

// hkdf_sha256 is RFC 5869 / SP 800-56C, filling `out` (1 to 8,160 bytes). On failure (kCryptoError) `out` is wiped.
Result<> hkdf_sha256(const Library& library, Bytes secret, Bytes salt, Bytes info, MutableBytes out);

// pbkdf2_sha512 is SP 800-132 with HMAC-SHA-512. In every mode, as FIPS wants it: passphrase >= 8 bytes, salt >= 16
// bytes, iterations >= 1000 (kInvalidPayload otherwise). Blocks for as long as the iterations take. On failure `out` is
// wiped.
Result<> pbkdf2_sha512(const Library& library, Bytes passphrase, Bytes salt, uint32_t iterations, MutableBytes out);

// sha256 hashes `data`.
Result<std::array<std::byte, 32>> sha256(const Library& library, Bytes data);

enum class KemDirection : uint8_t {
  kToDecapsulator = 1,  // data flows from the side that encapsulated
  kToEncapsulator = 2,
};

// KemKeyInputs are what docs/protocol.md, "Key from KEM", puts into the derivation, each length-prefixed.
struct KemKeyInputs {
  KemDirection direction = KemDirection::kToDecapsulator;
  Algorithm kem = Algorithm::kNone;
  Bytes encapsulation_key;
  Bytes ciphertext;
  Bytes context;
};

// key_from_kem derives an AES-256-GCM key: HKDF-SHA256, salt "WvdS-KEM-v1", info = direction u8, KEM algorithm u8,
// SHA-256 of the encapsulation key, SHA-256 of the ciphertext, AES-256-GCM u8, context, each prefixed by its length as
// u16 (little-endian). kWrongKeyType when `kem` is not of ML-KEM; kInvalidPayload when a length is not that of `kem`,
// or the context is over 65,535 bytes.
Result<LockedBytes> key_from_kem(const Library& library, const SharedSecret& secret, const KemKeyInputs& inputs);

}  // namespace wvds::crypto
