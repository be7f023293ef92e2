#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

// What a key is: the values below are both wire values (docs/protocol.md) and store values (docs/storage-format.md).
namespace wvds {

enum class Algorithm : uint8_t {
  kNone = 0x00,
  kAes256Gcm = 0x01,
  kMlDsa44 = 0x10,
  kMlDsa65 = 0x11,
  kMlDsa87 = 0x12,
  kMlKem512 = 0x20,
  kMlKem768 = 0x21,
  kMlKem1024 = 0x22,
  kEcdsaP256 = 0x30,
  kEcdsaP384 = 0x31,
};

enum class Lifetime : uint8_t {
  kDefault = 0,     // what the operation documents; never the lifetime of an existing key
  kSession = 1,     // memory only, dies with the session
  kVolatile = 2,    // memory only, dies with the service
  kPersistent = 3,  // durable before it is acknowledged
};

// Usages form a bit set. 0 in a request means the algorithm's default (default_usages).
enum class Usage : uint16_t {
  kEncrypt = 0x0001,
  kDecrypt = 0x0002,
  kSign = 0x0004,
  kVerify = 0x0008,
  kSignMu = 0x0010,  // sign an external mu: bypasses context strings, so off by default
  kEncapsulate = 0x0020,
  kDecapsRaw = 0x0040,    // the shared secret is handed out; excludes kDecapsToKey for good
  kDecapsToKey = 0x0080,  // the shared secret becomes a key inside; excludes kDecapsRaw for good
  kTlsAndCsr = 0x0100,    // device identity: for est_service only
};

using Usages = uint16_t;

// Hash is what a message is hashed with before ECDSA signs it (FIPS 180-4).
enum class Hash : uint8_t { kNone = 0, kSha256 = 1, kSha384 = 2, kSha512 = 3 };

constexpr Usages operator|(Usage a, Usage b) {
  return static_cast<Usages>(static_cast<Usages>(a) | static_cast<Usages>(b));
}
constexpr Usages operator|(Usages a, Usage b) { return static_cast<Usages>(a | static_cast<Usages>(b)); }
constexpr bool allows(Usages usages, Usage usage) { return (usages & static_cast<Usages>(usage)) != 0; }

inline constexpr size_t kAesKeySize = 32;
inline constexpr size_t kNonceSize = 12;
inline constexpr size_t kTagSize = 16;
inline constexpr size_t kSharedSecretSize = 32;
inline constexpr size_t kMlDsaSeedSize = 32;
inline constexpr size_t kMlKemSeedSize = 64;
inline constexpr size_t kMuSize = 64;
inline constexpr size_t kMaxContextSize = 255;  // FIPS 204, section 5.2
inline constexpr size_t kMaxPublicKeySize = 2592;
inline constexpr size_t kMaxSignatureSize = 4627;
inline constexpr size_t kMaxKemCiphertextSize = 1568;
inline constexpr size_t kMaxEcdsaPublicKeySize = 97;
inline constexpr size_t kMaxEcdsaSignatureSize = 104;
inline constexpr size_t kMaxHashSize = 64;

// AlgorithmInfo holds the sizes in bytes that FIPS 203 (table 3) and FIPS 204 (table 2) fix; of ECDSA those of the
// private scalar, of the uncompressed point (SEC 1, section 2.3.3) and of the longest DER signature (RFC 3279, section
// 2.2.3). 0 where a size has no meaning.
struct AlgorithmInfo {
  Algorithm algorithm;
  const char* name;  // as FIPS writes it, and as OpenSSL fetches it; of ECDSA with the curve
  size_t secret;     // AES key, seed or scalar
  size_t public_key;
  size_t signature;  // of ECDSA the most: its signatures are of no fixed length
  size_t kem_ciphertext;
  Usages default_usages;
  Usages possible_usages;
};

// algorithms lists all there are in the order of their values; static storage.
std::span<const AlgorithmInfo> algorithms();

// algorithm_info returns nullptr for a value that is not an algorithm; the pointer is to static storage.
const AlgorithmInfo* algorithm_info(Algorithm algorithm);

// algorithm_from_name accepts the FIPS name in any case ("ml-kem-768", "AES-256-GCM").
std::optional<Algorithm> algorithm_from_name(std::string_view name);

constexpr bool is_ml_dsa(Algorithm algorithm) { return (static_cast<uint8_t>(algorithm) & 0xf0) == 0x10; }
constexpr bool is_ml_kem(Algorithm algorithm) { return (static_cast<uint8_t>(algorithm) & 0xf0) == 0x20; }
constexpr bool is_ecdsa(Algorithm algorithm) { return (static_cast<uint8_t>(algorithm) & 0xf0) == 0x30; }
constexpr bool is_aes(Algorithm algorithm) { return algorithm == Algorithm::kAes256Gcm; }

// is_post_quantum: these have a seed for a secret. signs: the algorithm makes signatures.
constexpr bool is_post_quantum(Algorithm algorithm) { return is_ml_dsa(algorithm) || is_ml_kem(algorithm); }
constexpr bool signs(Algorithm algorithm) { return is_ml_dsa(algorithm) || is_ecdsa(algorithm); }

// usages_are_valid tells whether a key of this algorithm may be made for these usages: at least one, none foreign to
// the algorithm, and not both kinds of decapsulation (one key, one purpose).
bool usages_are_valid(Algorithm algorithm, Usages usages);

// usage_name and usage_from_name use the words of config.json and the tool ("decaps-to-key").
const char* usage_name(Usage usage);
std::optional<Usage> usage_from_name(std::string_view name);
const char* lifetime_name(Lifetime lifetime);

// hash_size is the length of a digest in bytes; 0 for a value that is no hash. hash_name is "SHA-256", as FIPS 180-4
// writes it; hash_from_name accepts that in any case.
size_t hash_size(Hash hash);
const char* hash_name(Hash hash);
std::optional<Hash> hash_from_name(std::string_view name);

}  // namespace wvds
