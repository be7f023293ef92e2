#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "protocol/aes_messages.h"
#include "protocol/frame.h"
#include "protocol/mldsa_messages.h"
#include "protocol/service_messages.h"

// CAPABILITIES (0x52).
namespace wvds::protocol {

inline constexpr size_t kMaxListedOperations = 256;  // an operation is named by one byte
inline constexpr size_t kMaxListedAlgorithms = 32;
inline constexpr size_t kCapabilitiesHeadSize = 128;

// The most bytes of plaintext and AAD that can be decrypted again in one request, and of a message that fits every
// request to verify.
inline constexpr size_t kMaxAesSize = kMaxRequestPayload - kAesRequestFixedSize - kNonceSize - kTagSize;
inline constexpr size_t kMaxMlDsaMessageSize =
    kMaxRequestPayload - kMlDsaVerifyFixedSize - kMaxPublicKeySize - kMaxSignatureSize - kMaxContextSize;

enum class NonceConstruction : uint8_t { kCounter = 0, kRandom = 1 };

// Quota is a limit of the caller and what is used of it now. More may be used than the limit allows: limits can be
// lowered.
struct Quota {
  uint64_t limit = 0;
  uint64_t used = 0;
};

inline constexpr uint8_t kAlgorithmInsideFips = 0x01;   // served by OpenSSL's FIPS module
inline constexpr uint8_t kAlgorithmRotates = 0x02;      // KEY_ROTATE makes new versions of its keys
inline constexpr uint8_t kAlgorithmInsideToken = 0x04;  // keys of it can be made inside the store's token

// KeyFormats has a bit for each KeyFormat that KEY_IMPORT takes: 1 << (format - 1).
using KeyFormats = uint8_t;

// AlgorithmOffer, in the answer: algorithm u8, flags u8, possible usages u16, default usages u16, import formats u8,
// length of the provider's name u8, bytes of secret, public key, signature and KEM ciphertext u16 each (0: it has
// none), name and version of the provider that serves it.
struct AlgorithmOffer {
  Algorithm algorithm = Algorithm::kNone;
  uint8_t flags = 0;
  Usages possible_usages = 0;
  Usages default_usages = 0;
  KeyFormats formats = 0;
  uint16_t secret_size = 0;
  uint16_t public_key_size = 0;
  uint16_t signature_size = 0;
  uint16_t ciphertext_size = 0;
  std::string provider;
};

// CAPABILITIES answer: protocol version u8, fips state u8, slots u16, most bytes of a request's payload, an answer's
// payload, AES plaintext and AAD, an ML-DSA message, and random bytes u32 each, requests per second u32 (0: unlimited),
// burst u32, cool-down in milliseconds u32, nonce construction u8, most versions of a key u8, zero u16, capacity of a
// replay window u32, encryptions of an AES key version u64, limit and use now of sessions, session keys, volatile keys,
// persistent keys and keys a minute u32 each, of store bytes and window bytes u64 each, operation count u16, algorithm
// count u16, then the types that the caller may use u8 each, then the algorithms.
struct CapabilitiesAnswer {
  uint8_t protocol_version = 0;
  FipsState fips_state = FipsState::kOff;
  uint16_t slots = 0;
  uint32_t max_request_payload = 0;
  uint32_t max_answer_payload = 0;
  uint32_t max_aes_size = 0;
  uint32_t max_mldsa_message_size = 0;
  uint32_t max_random_size = 0;
  uint32_t requests_per_second = 0;
  uint32_t burst = 0;
  uint32_t cooldown_ms = 0;
  NonceConstruction nonces = NonceConstruction::kCounter;
  uint8_t max_key_versions = 0;
  uint32_t window_capacity = 0;
  uint64_t use_limit = 0;
  Quota sessions;
  Quota session_keys;
  Quota volatile_keys;
  Quota persistent_keys;
  Quota keys_per_minute;
  Quota store_bytes;
  Quota window_bytes;
  std::vector<uint8_t> operations;
  std::vector<AlgorithmOffer> algorithms;

  static Result<CapabilitiesAnswer> decode(UntrustedBytes payload);

  // encode shows bytes of a provider's name that can't be printed as '?', and cuts a name over 96 bytes.
  Result<size_t> encode(MutableBytes out) const;
};

}  // namespace wvds::protocol
