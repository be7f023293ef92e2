#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "est/failure.h"

namespace wvds::est {

inline constexpr size_t kMaxChallenges = 16;
inline constexpr size_t kMaxChallengeParameters = 32;

struct ChallengeParameter {
  std::string name;  // in lower case
  std::string value;
};

// Challenge is one way of authentication that a server asks for (RFC 9110, section 11.3).
struct Challenge {
  std::string scheme;   // in lower case: "digest"
  std::string token68;  // or parameters
  std::vector<ChallengeParameter> parameters;

  const std::string* parameter(std::string_view name) const;  // name in lower case; null: not there
};

// parse_challenges reads all WWW-Authenticate fields of an answer (RFC 9110, section 11.6.1): several challenges may
// stand in one field. kBadHttp for what is none, and over the limits above.
Outcome<std::vector<Challenge>> parse_challenges(std::span<const std::string> values);

}  // namespace wvds::est
