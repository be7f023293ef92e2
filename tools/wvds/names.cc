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

constexpr std::array kFormats{
    std::pair<wvds_key_format, const char*>{WVDS_KEY_FORMAT_RAW, "raw"},
    std::pair<wvds_key_format, const char*>{WVDS_KEY_FORMAT_SEED, "seed"},
    std::pair<wvds_key_format, const char*>{WVDS_KEY_FORMAT_PKCS8, "pkcs8"},
    std::pair<wvds_key_format, const char*>{WVDS_KEY_FORMAT_PUBLIC, "public"},
};

constexpr std::array<wvds_algorithm, 9> kAlgorithms{WVDS_AES_256_GCM, WVDS_MLDSA_44,   WVDS_MLDSA_65,
                                                    WVDS_MLDSA_87,    WVDS_MLKEM_512,  WVDS_MLKEM_768,
                                                    WVDS_MLKEM_1024,  WVDS_ECDSA_P256, WVDS_ECDSA_P384};

// word_of shows a number that has no word as a number: a newer service may know more.
template <size_t kSize>
std::string word_of(const std::array<const char*, kSize>& words, uint32_t value) {
  return value < kSize ? words[value] : std::to_string(value);
}

}  // namespace

std::vector<std::string> usage_words(uint32_t usages) {
  std::vector<std::string> words;
  for (const auto& [bit, word] : kUsages) {
    if ((usages & bit) != 0) words.emplace_back(word);
  }
  return words;
}

std::string usages_text(uint32_t usages) {
  std::string text;
  for (const std::string& word : usage_words(usages)) text += (text.empty() ? "" : ", ") + word;
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

std::vector<std::string> algorithm_words() {
  std::vector<std::string> words;
  for (wvds_algorithm algorithm : kAlgorithms) words.push_back(algorithm_text(algorithm));
  return words;
}

Outcome<wvds_algorithm> algorithm_from_word(const std::string& word) {
  if (const wvds_algorithm algorithm = wvds_algorithm_from_name(word.c_str()); algorithm != 0) return algorithm;
  std::string known;
  for (const std::string& name : algorithm_words()) known += (known.empty() ? "" : ", ") + name;
  return misused("\"" + word + "\" is no algorithm: " + known);
}

std::string fips_mode_word(uint32_t mode) { return word_of(std::array{"off", "preferred", "required"}, mode); }

std::string fips_state_word(uint32_t state) { return word_of(std::array{"off", "active", "unavailable"}, state); }

std::string place_word(uint32_t place) {
  return word_of(std::array{"memory", "file", "tpm", "hsm-wrapped", "hsm-inside"}, place);
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
  const std::string digits = std::to_string(number);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string provider_text(const std::string& provider, uint32_t is_inside_fips) {
  return provider + (is_inside_fips != 0 ? "" : " (not FIPS)");
}

std::vector<std::string> format_words(uint32_t formats) {
  std::vector<std::string> words;
  for (const auto& [format, word] : kFormats) {
    if ((formats & WVDS_KEY_FORMAT_BIT(format)) != 0) words.emplace_back(word);
  }
  return words;
}

wvds_key_format format_of(const std::string& word) {
  for (const auto& [format, name] : kFormats) {
    if (word == name) return format;
  }
  return 0;
}

std::string size_text(uint64_t bytes) {
  for (const auto& [unit, name] :
       {std::pair{1u << 30, " GB"}, std::pair{1u << 20, " MB"}, std::pair{1u << 10, " KB"}}) {
    if (bytes >= unit && bytes % unit == 0) return number_text(bytes / unit) + name;
  }
  return number_text(bytes) + " bytes";
}

std::string duration_text(uint64_t milliseconds) {
  const uint64_t seconds = milliseconds / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return std::to_string(seconds / 60) + " min";
  if (seconds < 86400) return std::to_string(seconds / 3600) + " h " + std::to_string(seconds / 60 % 60) + " min";
  return std::to_string(seconds / 86400) + " d " + std::to_string(seconds / 3600 % 24) + " h";
}

std::string padded(std::string text, size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace wvds::tool
