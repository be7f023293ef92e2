#pragma once

#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"

// MLDSA_SIGN (0x10) and MLDSA_VERIFY (0x11): FIPS 204, sections 5.2 and 5.3.
namespace wvds::protocol {

inline constexpr uint8_t kMlDsaDeterministic = 0x01;  // sign only: FIPS 204, section 3.4, rnd = 0
inline constexpr uint8_t kMlDsaExternalMu = 0x02;     // the message is the 64-byte mu; no context then

// Payload: key id u32, flags u8, context length u8, zero u16, context, message.
struct MlDsaSignRequest {
  uint32_t key_id = 0;
  uint8_t flags = 0;
  UntrustedBytes context;
  UntrustedBytes message;

  // decode refuses unknown flags, a mu that is not 64 bytes and mu with a context: kInvalidPayload.
  static Result<MlDsaSignRequest> decode(UntrustedBytes payload);
};
inline constexpr size_t kMlDsaSignFixedSize = 8;
// encode_head writes all up to and including the context; the message follows.
Result<size_t> encode_mldsa_sign_head(uint32_t key_id, uint8_t flags, Bytes context, MutableBytes out);
// The MLDSA_SIGN answer is the signature.

// Payload: key id u32, algorithm u8, flags u8, context length u8, zero u8, public key length u16, signature length u16,
// public key, signature, context, message. With a key id, algorithm and public key length are 0; with key id 0 the
// public key stands in the request.
struct MlDsaVerifyRequest {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  uint8_t flags = 0;
  UntrustedBytes public_key;
  UntrustedBytes signature;
  UntrustedBytes context;
  UntrustedBytes message;

  // decode checks the public key's length against the algorithm; the signature's length is the handler's to judge,
  // since only it knows the algorithm of a stored key. Both are kInvalidPayload when wrong.
  static Result<MlDsaVerifyRequest> decode(UntrustedBytes payload);
};
inline constexpr size_t kMlDsaVerifyFixedSize = 12;
struct MlDsaVerifyHead {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  uint8_t flags = 0;
  Bytes public_key;
  Bytes signature;
  Bytes context;
};
Result<size_t> encode_mldsa_verify_head(const MlDsaVerifyHead& head, MutableBytes out);
// The MLDSA_VERIFY answer is empty: SUCCESS means valid, SIGNATURE_INVALID means that it was checked and is not.

}  // namespace wvds::protocol
