#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/wvds/outcome.h"
#include "wvds_crypto.h"

// The words of the command line for the library's numbers; docs/config.md uses the same ones.
namespace wvds::tool {

std::string usages_text(uint32_t usages);  // "encrypt, decrypt"
Outcome<uint32_t> usages_from_words(const std::vector<std::string>& words);

std::vector<std::string> usage_words(uint32_t usages);

std::string lifetime_text(wvds_lifetime lifetime);
std::string algorithm_text(wvds_algorithm algorithm);
std::vector<std::string> algorithm_words();
Outcome<wvds_algorithm> algorithm_from_word(const std::string& word);

// The words of the service's state, as the configuration has them where it has them.
std::string fips_mode_word(uint32_t mode);
std::string fips_state_word(uint32_t state);
std::string place_word(uint32_t place);

// place_text says where a secret lives at rest, in words for people.
std::string place_text(uint32_t place);

// number_text writes thousands apart: "1,000,000".
std::string number_text(uint64_t number);

// provider_text says who serves an algorithm, and when that is outside FIPS.
std::string provider_text(const std::string& provider, uint32_t is_inside_fips);

// format_words are those of WVDS_KEY_FORMAT_BIT bits; format_of gives the format of a word, 0 for none.
std::vector<std::string> format_words(uint32_t formats);
wvds_key_format format_of(const std::string& word);

// size_text writes a number of bytes that is a whole number of KB or MB as such: "4 MB".
std::string size_text(uint64_t bytes);

// duration_text is rough: "3 d 4 h".
std::string duration_text(uint64_t milliseconds);

// padded fills with spaces to `width`.
std::string padded(std::string text, size_t width);

}  // namespace wvds::tool
