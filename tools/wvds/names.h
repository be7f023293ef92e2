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

std::string lifetime_text(wvds_lifetime lifetime);
std::string algorithm_text(wvds_algorithm algorithm);
Outcome<wvds_algorithm> algorithm_from_word(const std::string& word);

// place_text says where a secret lives at rest, in words for people.
std::string place_text(uint32_t place);

// number_text writes thousands apart: "1,000,000".
std::string number_text(uint64_t number);

// padded fills with spaces to `width`.
std::string padded(std::string text, size_t width);

}  // namespace wvds::tool
