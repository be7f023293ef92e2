#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace wvds::ossl_provider {

inline constexpr const char* kScheme = "wvds";
inline constexpr size_t kMaxUriSize = 1024;

// KeyUri is what a URI names; provider.h has the syntax.
struct KeyUri {
  uint32_t key_id = 0;
  std::string socket{};  // empty: the default
};

// parse_key_uri refuses (kInvalidArgument) everything that is not exactly such a URI, with a detail that says what is
// wrong with it.
Result<KeyUri> parse_key_uri(std::string_view uri);

// is_key_uri tells whether the scheme is this provider's.
bool is_key_uri(std::string_view uri);

}  // namespace wvds::ossl_provider
