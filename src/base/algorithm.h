#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

// AlgorithmInfo holds the sizes in bytes that FIPS 203 (table 3) and FIPS 204 (table 2) fix. 0 where a size has no
// meaning.
struct AlgorithmInfo {
  Algorithm algorithm;
  const char* name;  // as FIPS writes it, and as OpenSSL fetches it
  size_t secret;     // AES key or seed
  size_t public_key;
  size_t signature;
  size_t kem_ciphertext;
  Usages default_usages;
  Usages possible_usages;
};

// algorithm_info returns nullptr for a value that is not an algorithm; the pointer is to static storage.
const AlgorithmInfo* algorithm_info(Algorithm algorithm);

// algorithm_from_name accepts the FIPS name in any case ("ml-kem-768", "AES-256-GCM").
std::optional<Algorithm> algorithm_from_name(std::string_view name);

constexpr bool is_ml_dsa(Algorithm algorithm) { return (static_cast<uint8_t>(algorithm) & 0xf0) == 0x10; }
constexpr bool is_ml_kem(Algorithm algorithm) { return (static_cast<uint8_t>(algorithm) & 0xf0) == 0x20; }

// usages_are_valid tells whether a key of this algorithm may be made for these usages: at least one, none foreign to
// the algorithm, and not both kinds of decapsulation (one key, one purpose).
bool usages_are_valid(Algorithm algorithm, Usages usages);

// usage_name and usage_from_name use the words of config.json and the tool ("decaps-to-key").
const char* usage_name(Usage usage);
std::optional<Usage> usage_from_name(std::string_view name);
const char* lifetime_name(Lifetime lifetime);

}  // namespace wvds
