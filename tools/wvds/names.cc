#include "tools/wvds/names.h"

#include <algorithm>
#include <array>
#include <utility>

namespace wvds::tool {
namespace {

constexpr std::array kUsages{
    std::pair<uint32_t, const char*>{WVDS_USAGE_ENCRYPT, "encrypt"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_DECRYPT, "decrypt"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_SIGN, "sign"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_VERIFY, "verify"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_SIGN_MU, "sign-mu"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_ENCAPSULATE, "encapsulate"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_DECAPS_RAW, "decaps-raw"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_DECAPS_TO_KEY, "decaps-to-key"},
    std::pair<uint32_t, const char*>{WVDS_USAGE_TLS_AND_CSR, "tls-and-csr"},
};

constexpr std::array<wvds_algorithm, 7> kAlgorithms{WVDS_AES_256_GCM, WVDS_MLDSA_44,  WVDS_MLDSA_65,  WVDS_MLDSA_87,
                                                    WVDS_MLKEM_512,   WVDS_MLKEM_768, WVDS_MLKEM_1024};

}  // namespace

std::string usages_text(uint32_t usages) {
  std::string text;
  for (const auto& [bit, word] : kUsages) {
    if ((usages & bit) == 0) continue;
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

Outcome<uint32_t> usages_from_words(const std::vector<std::string>& words) {
  uint32_t usages = 0;
  for (const std::string& word : words) {
    const auto found = std::ranges::find(kUsages, word, [](const auto& usage) { return std::string(usage.second); });
    if (found == kUsages.end()) return misused("\"" + word + "\" is no usage: " + usages_text(UINT32_MAX));
    usages |= found->first;
  }
  return usages;
}

std::string lifetime_text(wvds_lifetime lifetime) {
  switch (lifetime) {
    case WVDS_LIFETIME_SESSION: return "session";
    case WVDS_LIFETIME_VOLATILE: return "volatile";
    case WVDS_LIFETIME_PERSISTENT: return "persistent";
    default: return std::to_string(lifetime);
  }
}

std::string algorithm_text(wvds_algorithm algorithm) {
  const char* name = wvds_algorithm_name(algorithm);
  return name == nullptr ? std::to_string(algorithm) : name;
}

Outcome<wvds_algorithm> algorithm_from_word(const std::string& word) {
  if (const wvds_algorithm algorithm = wvds_algorithm_from_name(word.c_str()); algorithm != 0) return algorithm;
  std::string known;
  for (wvds_algorithm algorithm : kAlgorithms) known += (known.empty() ? "" : ", ") + algorithm_text(algorithm);
  return misused("\"" + word + "\" is no algorithm: " + known);
}

std::string place_text(uint32_t place) {
  switch (place) {
    case WVDS_PLACE_MEMORY: return "in memory only";
    case WVDS_PLACE_FILE: return "encrypted file";
    case WVDS_PLACE_TPM: return "encrypted file, its key sealed to the TPM";
    case WVDS_PLACE_HSM_WRAPPED: return "encrypted file, its key in the PKCS#11 token";
    case WVDS_PLACE_HSM_INSIDE: return "inside the PKCS#11 token";
    default: return "place " + std::to_string(place);
  }
}

std::string number_text(uint64_t number) {
  std::string text = std::to_string(number);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace wvds::tool
