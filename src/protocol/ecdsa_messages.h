#pragma once

#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "protocol/frame.h"

// ECDSA_SIGN (0x18) and ECDSA_VERIFY (0x19): FIPS 186-5, section 6.4.
namespace wvds::protocol {

inline constexpr uint8_t kEcdsaDigest = 0x01;  // the message is its digest already, of exactly the hash's length

// Payload: key id u32, hash u8, flags u8, message.
struct EcdsaSignRequest {
  uint32_t key_id = 0;
  Hash hash = Hash::kNone;
  uint8_t flags = 0;
  UntrustedBytes message;

  // decode refuses unknown hashes and flags, and a digest of another length than the hash's: kInvalidPayload.
  static Result<EcdsaSignRequest> decode(UntrustedBytes payload);
};
inline constexpr size_t kEcdsaSignFixedSize = 6;
// encode_head writes what stands in front of the message.
Result<size_t> encode_ecdsa_sign_head(uint32_t key_id, Hash hash, uint8_t flags, MutableBytes out);
// The ECDSA_SIGN answer is the signature: a DER Ecdsa-Sig-Value (RFC 3279, section 2.2.3).

// Payload: key id u32, algorithm u8, hash u8, flags u8, zero u8, public key length u16, signature length u16, public
// key, signature, message. With a key id, algorithm and public key length are 0; with key id 0 the public key stands in
// the request, as an uncompressed point (SEC 1, section 2.3.3).
struct EcdsaVerifyRequest {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  Hash hash = Hash::kNone;
  uint8_t flags = 0;
  UntrustedBytes public_key;
  UntrustedBytes signature;
  UntrustedBytes message;

  // decode checks what EcdsaSignRequest does, and the public key's length against the algorithm; the signature's length
  // is the handler's to judge, since only it knows the algorithm of a stored key. Both are kInvalidPayload when wrong.
  static Result<EcdsaVerifyRequest> decode(UntrustedBytes payload);
};
inline constexpr size_t kEcdsaVerifyFixedSize = 12;
struct EcdsaVerifyHead {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  Hash hash = Hash::kNone;
  uint8_t flags = 0;
  Bytes public_key;
  Bytes signature;
};
Result<size_t> encode_ecdsa_verify_head(const EcdsaVerifyHead& head, MutableBytes out);
// The ECDSA_VERIFY answer is empty: SUCCESS means valid, SIGNATURE_INVALID means that it was checked and is not.

// The most bytes of a message that fits every request to verify.
inline constexpr size_t kMaxEcdsaMessageSize =
    kMaxRequestPayload - kEcdsaVerifyFixedSize - kMaxEcdsaPublicKeySize - kMaxEcdsaSignatureSize;

}  // namespace wvds::protocol
