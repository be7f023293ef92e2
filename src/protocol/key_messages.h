#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/key_limits.h"

// Key management: KEY_GENERATE (0x30) to KEY_DELETE (0x37).
namespace wvds::protocol {

inline constexpr size_t kMaxLabelSize = 64;      // UTF-8 bytes, no control characters
inline constexpr size_t kMaxPrincipalSize = 32;  // ASCII letters, digits, '-', '_', '.'
inline constexpr size_t kMaxProviderSize = 96;   // name and version of a provider, UTF-8 without control characters
inline constexpr size_t kMaxKeyVersions = 4;     // the newest and three retained
inline constexpr size_t kKeyTemplateFixedSize = 32;
inline constexpr uint8_t kKeyFlagReplayWindowOff = 0x01;
inline constexpr uint8_t kKeyFlagInsideToken = 0x02;
inline constexpr uint8_t kKeyFlags = kKeyFlagReplayWindowOff | kKeyFlagInsideToken;

// What a key is asked to be. Payload head of KEY_GENERATE and KEY_IMPORT: algorithm u8, lifetime u8 (default:
// persistent), usages u16 (0: the algorithm's default), flags u8, label length u8, format u8 (0 for KEY_GENERATE), zero
// u8, max uses u64, not before u64, not after u64 (each 0: none), label.
struct KeyTemplate {
  Algorithm algorithm = Algorithm::kNone;
  Lifetime lifetime = Lifetime::kDefault;
  Usages usages = 0;
  uint8_t flags = 0;
  std::string label;
  KeyLimits limits = {};
};

struct KeyGenerateRequest {
  KeyTemplate key;

  // decode refuses unknown algorithms, flags and lifetimes, limits that make no sense and a label that is not UTF-8
  // text: kInvalidPayload. Usages, and whether a limit fits them, are the key store's to judge.
  static Result<KeyGenerateRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};  // answer: KeyCreatedAnswer (mlkem_messages.h)

enum class KeyFormat : uint8_t {
  kRaw = 1,     // AES-256 key, 32 bytes
  kSeed = 2,    // ML-DSA xi (32 bytes), ML-KEM d || z (64 bytes)
  kPkcs8 = 3,   // DER PrivateKeyInfo that holds the seed
  kPublic = 4,  // raw public key of FIPS 203/204: a key that only verifies or encapsulates
};

struct KeyImportRequest {
  KeyTemplate key;
  KeyFormat format = KeyFormat::kRaw;
  UntrustedBytes material;  // secret: the handler copies it once and wipes the request area

  static Result<KeyImportRequest> decode(UntrustedBytes payload);
};
Result<size_t> encode_key_import_request(const KeyTemplate& key, KeyFormat format, Bytes material, MutableBytes out);

// KeyVersionRequest: key id u32, version u32 (0: the newest, or with KEY_DELETE the whole key). KEY_PUBLIC and
// KEY_DELETE. The KEY_PUBLIC answer is the raw public key; the KEY_DELETE answer is empty.
struct KeyVersionRequest {
  uint32_t key_id = 0;
  uint32_t version = 0;

  static Result<KeyVersionRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// KeyIdRequest: u32. KEY_INFO, KEY_ROTATE, KEY_RETIRE; KEY_LIST with the id to list after (0: from the start).
struct KeyIdRequest {
  uint32_t key_id = 0;

  static Result<KeyIdRequest> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// KEY_LIST answer: count u16, more u8 (1: ask again after the last id), zero u8, entries in the order of ids: id u32,
// algorithm u8, lifetime u8, usages u16, versions u16, label length u8, zero u8, label. Lists what the caller owns or
// was granted.
struct KeyListEntry {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  Lifetime lifetime = Lifetime::kDefault;
  Usages usages = 0;
  uint16_t versions = 0;
  std::string label;
};
struct KeyListAnswer {
  std::vector<KeyListEntry> entries;
  bool more = false;

  static Result<KeyListAnswer> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};
inline constexpr size_t kMaxKeyListEntries = 256;

enum class KeyPlace : uint8_t { kMemory = 0, kFile = 1, kTpm = 2, kHsmWrapped = 3, kHsmInside = 4 };
enum class KeyVersionState : uint8_t { kActive = 1, kRetired = 2 };

// KEY_INFO answer: id u32, algorithm u8, lifetime u8, usages u16, flags u8, place u8 (where the secret lives at rest),
// owner length u8, label length u8, version count u16, FIPS u8 (1: OpenSSL's FIPS module serves the key's algorithm),
// provider length u8, max uses u64, not before u64, not after u64 (each 0: none), owner, label, name and version of the
// provider that serves the algorithm, then each version, newest first: number u32, state u8, zero u8[3], uses u64 (an
// upper bound: uses reserved ahead count), use limit u64 (0: none), window used u32, window capacity u32 (0: no
// window).
struct KeyVersionInfo {
  uint32_t number = 0;
  KeyVersionState state = KeyVersionState::kActive;
  uint64_t uses = 0;
  uint64_t use_limit = 0;
  uint32_t window_used = 0;
  uint32_t window_capacity = 0;
};
struct KeyInfoAnswer {
  uint32_t key_id = 0;
  Algorithm algorithm = Algorithm::kNone;
  Lifetime lifetime = Lifetime::kDefault;
  Usages usages = 0;
  uint8_t flags = 0;
  KeyPlace place = KeyPlace::kMemory;
  bool inside_fips = false;
  std::string owner;
  std::string label;
  std::string provider;
  KeyLimits limits = {};
  std::vector<KeyVersionInfo> versions;

  static Result<KeyInfoAnswer> decode(UntrustedBytes payload);
  Result<size_t> encode(MutableBytes out) const;
};

// KEY_ROTATE answer: new version u32, public key of the new version (empty for AES). The KEY_RETIRE answer is empty.
struct KeyRotateAnswer {
  uint32_t version = 0;
  UntrustedBytes public_key;

  static Result<KeyRotateAnswer> decode(UntrustedBytes payload);
};
Result<size_t> encode_key_rotate_answer(uint32_t version, Bytes public_key, MutableBytes out);

}  // namespace wvds::protocol
