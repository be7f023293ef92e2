#pragma once

#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"

// AES_ENCRYPT (0x01) and AES_DECRYPT (0x02): AES-256-GCM, SP 800-38D. The service makes every nonce.
namespace wvds::protocol {

inline constexpr size_t kAesRequestFixedSize = 6;  // key id, AAD length

struct AesEncryptRequest {
  uint32_t key_id = 0;
  UntrustedBytes aad;
  UntrustedBytes plaintext;

  static Result<AesEncryptRequest> decode(UntrustedBytes payload);
};

// encode_aes_request_head writes key id and AAD length, for both requests; AAD and then data follow it.
Result<size_t> encode_aes_request_head(uint32_t key_id, size_t aad_length, MutableBytes out);

// AesEncryptAnswer: nonce (12), ciphertext, tag (16). It is the tail of the AES_DECRYPT request that opens it.
struct AesEncryptAnswer {
  UntrustedBytes nonce;
  UntrustedBytes ciphertext;
  UntrustedBytes tag;

  static Result<AesEncryptAnswer> decode(UntrustedBytes payload);
};

struct AesDecryptRequest {
  uint32_t key_id = 0;
  UntrustedBytes aad;
  UntrustedBytes nonce;       // 12 bytes
  UntrustedBytes ciphertext;  // as long as the plaintext
  UntrustedBytes tag;         // 16 bytes

  static Result<AesDecryptRequest> decode(UntrustedBytes payload);
};
// The AES_DECRYPT answer is the plaintext and nothing else.

}  // namespace wvds::protocol
