#include "base/algorithm.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace wvds {
namespace {

constexpr Usages kCipherUsages = Usage::kEncrypt | Usage::kDecrypt;
constexpr Usages kSignDefaults = Usage::kSign | Usage::kVerify;
constexpr Usages kSignUsages = kSignDefaults | Usage::kSignMu | Usage::kTlsAndCsr;
constexpr Usages kEcdsaUsages = kSignDefaults | Usage::kTlsAndCsr;
constexpr Usages kKemDefaults = Usage::kEncapsulate | Usage::kDecapsToKey;
constexpr Usages kKemUsages = kKemDefaults | Usage::kDecapsRaw;

constexpr std::array kAlgorithms{
    AlgorithmInfo{Algorithm::kAes256Gcm, "AES-256-GCM", 32, 0, 0, 0, kCipherUsages, kCipherUsages},
    AlgorithmInfo{Algorithm::kMlDsa44, "ML-DSA-44", 32, 1312, 2420, 0, kSignDefaults, kSignUsages},
    AlgorithmInfo{Algorithm::kMlDsa65, "ML-DSA-65", 32, 1952, 3309, 0, kSignDefaults, kSignUsages},
    AlgorithmInfo{Algorithm::kMlDsa87, "ML-DSA-87", 32, 2592, 4627, 0, kSignDefaults, kSignUsages},
    AlgorithmInfo{Algorithm::kMlKem512, "ML-KEM-512", 64, 800, 0, 768, kKemDefaults, kKemUsages},
    AlgorithmInfo{Algorithm::kMlKem768, "ML-KEM-768", 64, 1184, 0, 1088, kKemDefaults, kKemUsages},
    AlgorithmInfo{Algorithm::kMlKem1024, "ML-KEM-1024", 64, 1568, 0, 1568, kKemDefaults, kKemUsages},
    AlgorithmInfo{Algorithm::kEcdsaP256, "ECDSA-P256", 32, 65, 72, 0, kSignDefaults, kEcdsaUsages},
    AlgorithmInfo{Algorithm::kEcdsaP384, "ECDSA-P384", 48, 97, 104, 0, kSignDefaults, kEcdsaUsages},
};

struct HashInfo {
  Hash hash;
  const char* name;
  size_t size;
};

constexpr std::array kHashes{HashInfo{Hash::kSha256, "SHA-256", 32}, HashInfo{Hash::kSha384, "SHA-384", 48},
                             HashInfo{Hash::kSha512, "SHA-512", 64}};

constexpr std::array kUsageNames{
    std::pair{Usage::kEncrypt, "encrypt"},
    std::pair{Usage::kDecrypt, "decrypt"},
    std::pair{Usage::kSign, "sign"},
    std::pair{Usage::kVerify, "verify"},
    std::pair{Usage::kSignMu, "sign-mu"},
    std::pair{Usage::kEncapsulate, "encapsulate"},
    std::pair{Usage::kDecapsRaw, "decaps-raw"},
    std::pair{Usage::kDecapsToKey, "decaps-to-key"},
    std::pair{Usage::kTlsAndCsr, "tls-and-csr"},
};

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

}  // namespace

std::span<const AlgorithmInfo> algorithms() { return kAlgorithms; }

const AlgorithmInfo* algorithm_info(Algorithm algorithm) {
  const auto* found = std::ranges::find(kAlgorithms, algorithm, &AlgorithmInfo::algorithm);
  return found == kAlgorithms.end() ? nullptr : found;
}

std::optional<Algorithm> algorithm_from_name(std::string_view name) {
  for (const AlgorithmInfo& info : kAlgorithms) {
    if (equal_ignoring_case(info.name, name)) return info.algorithm;
  }
  return std::nullopt;
}

bool usages_are_valid(Algorithm algorithm, Usages usages) {
  const AlgorithmInfo* info = algorithm_info(algorithm);
  if (info == nullptr || usages == 0 || (usages & ~info->possible_usages) != 0) return false;
  return !(allows(usages, Usage::kDecapsRaw) && allows(usages, Usage::kDecapsToKey));
}

const char* usage_name(Usage usage) {
  for (const auto& [value, name] : kUsageNames) {
    if (value == usage) return name;
  }
  return "unknown";
}

std::optional<Usage> usage_from_name(std::string_view name) {
  for (const auto& [value, known] : kUsageNames) {
    if (name == known) return value;
  }
  return std::nullopt;
}

const char* lifetime_name(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::kDefault: return "default";
    case Lifetime::kSession: return "session";
    case Lifetime::kVolatile: return "volatile";
    case Lifetime::kPersistent: return "persistent";
  }
  return "unknown";
}

size_t hash_size(Hash hash) {
  const auto* found = std::ranges::find(kHashes, hash, &HashInfo::hash);
  return found == kHashes.end() ? 0 : found->size;
}

const char* hash_name(Hash hash) {
  const auto* found = std::ranges::find(kHashes, hash, &HashInfo::hash);
  return found == kHashes.end() ? "unknown" : found->name;
}

std::optional<Hash> hash_from_name(std::string_view name) {
  for (const HashInfo& info : kHashes) {
    if (equal_ignoring_case(info.name, name)) return info.hash;
  }
  return std::nullopt;
}

}  // namespace wvds
