// Fuzzes parse_challenges, choose_scheme and authorization_value: each line of the input is one WWW-Authenticate field.
// Properties: limits hold; details are printable; an answer never holds a character that would end its line.

#include <array>
#include <cstdlib>

#include "est/authentication.h"

namespace wvds::est {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

const crypto::Library& library() {
  static const auto loaded = [] {
    crypto::LibraryConfig config;
    config.fips = crypto::FipsMode::kOff;
    return crypto::Library::load(config);
  }();
  require(loaded.has_value());
  return **loaded;
}

void check_text(const std::string& text) {
  for (const char c : text) require(c >= ' ' && c <= '~');
}

void check(const std::vector<std::string>& values) {
  const auto challenges = parse_challenges(values);
  if (!challenges) return check_text(challenges.error().detail);
  require(challenges->size() <= kMaxChallenges);
  for (const Challenge& challenge : *challenges) {
    require(!challenge.scheme.empty() && challenge.parameters.size() <= kMaxChallengeParameters);
  }
  const auto chosen = choose_scheme(*challenges, {}, library());
  if (!chosen) return check_text(chosen.error().detail);
  const std::array<std::byte, kCnonceRandom> random{};
  const auto value = authorization_value(library(), *chosen, {"user", as_bytes("password")}, {"GET", "/x", 1, random});
  require(value.has_value());
  for (const std::byte byte : *value)
    require(byte != std::byte{'\r'} && byte != std::byte{'\n'} && byte != std::byte{0});
}

}  // namespace
}  // namespace wvds::est

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> values(1);
  for (size_t i = 0; i < size; ++i) {
    if (data[i] == '\n') {
      values.emplace_back();
    } else {
      values.back() += static_cast<char>(data[i]);
    }
  }
  wvds::est::check(values);
  return 0;
}
