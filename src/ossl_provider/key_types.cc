#include "ossl_provider/key_types.h"

#include <algorithm>
#include <array>

namespace wvds::ossl_provider {
namespace {

// RFC 9881, section 2: AlgorithmIdentifier of id-ml-dsa-44, -65 and -87 (2.16.840.1.101.3.4.3.17 to .19), without
// parameters.
constexpr auto ml_dsa_id(uint8_t last) {
  return std::to_array<uint8_t>({0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x03, last});
}
constexpr auto kMlDsa44Id = ml_dsa_id(17);
constexpr auto kMlDsa65Id = ml_dsa_id(18);
constexpr auto kMlDsa87Id = ml_dsa_id(19);

// RFC 5758, section 3.2: AlgorithmIdentifier of ecdsa-with-SHA256, -SHA384 and -SHA512 (1.2.840.10045.4.3.2 to .4),
// without parameters.
constexpr auto ecdsa_id(uint8_t last) {
  return std::to_array<uint8_t>({0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, last});
}
constexpr auto kEcdsaSha256Id = ecdsa_id(2);
constexpr auto kEcdsaSha384Id = ecdsa_id(3);
constexpr auto kEcdsaSha512Id = ecdsa_id(4);

constexpr const char* kEc = "EC";

// bits: of the public key, and of the field. Security as FIPS 204, table 1, and SP 800-57, table 2, have it; EC keys
// are in no category, since they fall to quantum computers.
constexpr std::array kKeyTypes{
    KeyType{WVDS_MLDSA_44, "ML-DSA-44", nullptr, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_44),
            WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_44), 8 * 1312, 128, 2, kMlDsa44Id},
    KeyType{WVDS_MLDSA_65, "ML-DSA-65", nullptr, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_65),
            WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65), 8 * 1952, 192, 3, kMlDsa65Id},
    KeyType{WVDS_MLDSA_87, "ML-DSA-87", nullptr, WVDS_MLDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_87),
            WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_87), 8 * 2592, 256, 5, kMlDsa87Id},
    KeyType{WVDS_ECDSA_P256, kEc, "prime256v1", WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_ECDSA_P256), 72, 256, 128, 0, {}},
    KeyType{WVDS_ECDSA_P384, kEc, "secp384r1", WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_ECDSA_P384), 104, 384, 192, 0, {}},
};

constexpr std::array kHashTypes{HashType{WVDS_SHA256, "SHA2-256", 32, kEcdsaSha256Id},
                                HashType{WVDS_SHA384, "SHA2-384", 48, kEcdsaSha384Id},
                                HashType{WVDS_SHA512, "SHA2-512", 64, kEcdsaSha512Id}};

const KeyType* found(const KeyType* type) { return type == kKeyTypes.end() ? nullptr : type; }

}  // namespace

const KeyType* key_type(wvds_algorithm algorithm) {
  return found(std::ranges::find(kKeyTypes, algorithm, &KeyType::algorithm));
}

const KeyType* curve(std::string_view group) {
  if (group == "P-256" || group == "secp256r1") group = "prime256v1";
  if (group == "P-384") group = "secp384r1";
  return found(
      std::ranges::find_if(kKeyTypes, [&](const KeyType& type) { return type.is_ec() && type.group == group; }));
}

std::span<const HashType> hash_types() { return kHashTypes; }

}  // namespace wvds::ossl_provider
