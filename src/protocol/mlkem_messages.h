#pragma once

#include <cstdint>

#include "base/algorithm.h"
#include "base/bytes.h"

// MLKEM_KEYGEN (0x20), MLKEM_ENCAPS (0x21), MLKEM_DECAPS (0x22): FIPS 203, sections 7.1 to 7.3; and encapsulation and
// decapsulation to a key that stays inside (0x23, 0x24).
namespace wvds::protocol {

// Payload: algorithm u8, lifetime u8 (default: session), usages u16 (0: encapsulate and decaps-to-key).
struct MlKemKeygenRequest {
  Algorithm algorithm = Algorithm::kNone;
  Lifetime lifetime = Lifetime::kDefault;
  Usages usages = 0;

  static Result<MlKemKeygenRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// KeyCreatedAnswer answers MLKEM_KEYGEN, KEY_GENERATE and KEY_IMPORT: key id u32, public key (empty for AES).
struct KeyCreatedAnswer {
  uint32_t key_id = 0;
  UntrustedBytes public_key;

  static Result<KeyCreatedAnswer> decode(UntrustedBytes payload);
};
Result<size_t> encode_key_created_answer(uint32_t key_id, Bytes public_key, MutableBytes out);

// Payload: key id u32, algorithm u8, zero u8[3], encapsulation key. With a key id, algorithm and encapsulation key are
// absent (0, empty); with key id 0 the encapsulation key stands in the request.
struct MlKemEncapsRequest {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  UntrustedBytes encapsulation_key;

  static Result<MlKemEncapsRequest> decode(UntrustedBytes payload);
};
Result<size_t> encode_mlkem_encaps_request(uint32_t key_id, Algorithm algorithm, Bytes encapsulation_key,
                                           MutableBytes out);

// Answer: shared secret (32), ciphertext.
struct MlKemEncapsAnswer {
  UntrustedBytes shared_secret;
  UntrustedBytes ciphertext;

  static Result<MlKemEncapsAnswer> decode(UntrustedBytes payload);
};

// Payload: key id u32, ciphertext. The answer is the shared secret (32).
struct MlKemDecapsRequest {
  uint32_t key_id = 0;
  UntrustedBytes ciphertext;

  static Result<MlKemDecapsRequest> decode(UntrustedBytes payload);
};
Result<size_t> encode_mlkem_decaps_request(uint32_t key_id, Bytes ciphertext, MutableBytes out);

inline constexpr uint8_t kDuplex = 0x01;           // derive a key for each direction
inline constexpr uint8_t kReplayWindowOff = 0x02;  // for the key that decrypts

// Payload: key id u32, algorithm u8, lifetime u8 (default: session), flags u8, zero u8, context length u16, context,
// encapsulation key (as in MLKEM_ENCAPS).
struct MlKemEncapsToKeyRequest {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  Lifetime lifetime = Lifetime::kDefault;
  uint8_t flags = 0;
  UntrustedBytes context;  // at most kMaxKdfContextSize
  UntrustedBytes encapsulation_key;

  static Result<MlKemEncapsToKeyRequest> decode(UntrustedBytes payload);
};
inline constexpr size_t kMaxKdfContextSize = 1024;
struct MlKemToKeyOptions {
  Lifetime lifetime = Lifetime::kDefault;
  uint8_t flags = 0;
  Bytes context;
};
Result<size_t> encode_mlkem_encaps_to_key_request(uint32_t key_id, Algorithm algorithm, Bytes encapsulation_key,
                                                  const MlKemToKeyOptions& options, MutableBytes out);

// Payload: key id u32, lifetime u8, flags u8, context length u16, context, ciphertext.
struct MlKemDecapsToKeyRequest {
  uint32_t key_id = 0;
  Lifetime lifetime = Lifetime::kDefault;
  uint8_t flags = 0;
  UntrustedBytes context;
  UntrustedBytes ciphertext;

  static Result<MlKemDecapsToKeyRequest> decode(UntrustedBytes payload);
};
Result<size_t> encode_mlkem_decaps_to_key_request(uint32_t key_id, Bytes ciphertext, const MlKemToKeyOptions& options,
                                                  MutableBytes out);

// Answer of both: id of the key that encrypts u32, id of the key that decrypts u32 (0 where there is none), ciphertext
// (empty for MLKEM_DECAPS_TO_KEY). Without kDuplex the encapsulating side gets the encrypting key only, the other side
// the decrypting.
struct DerivedKeysAnswer {
  uint32_t encrypt_key_id = 0;
  uint32_t decrypt_key_id = 0;
  UntrustedBytes ciphertext;

  static Result<DerivedKeysAnswer> decode(UntrustedBytes payload);
};
Result<size_t> encode_derived_keys_answer(uint32_t encrypt_key_id, uint32_t decrypt_key_id, Bytes ciphertext,
                                          MutableBytes out);

}  // namespace wvds::protocol
