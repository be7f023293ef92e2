#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wvds::est {

inline constexpr size_t kMaxMediaParameters = 16;

struct MediaParameter {
  std::string name;  // in lower case
  std::string value;
};

// MediaType is the value of a Content-Type field (RFC 9110, section 8.3.1).
struct MediaType {
  std::string name;  // type and subtype in lower case: "application/pkcs7-mime"
  std::vector<MediaParameter> parameters;

  const std::string* parameter(std::string_view name) const;  // name in lower case; null: not there
};

// parse_media_type takes parameters in any order, and the blanks and empty parameters that servers leave. Nothing for
// what is no media type and for one with a parameter twice.
std::optional<MediaType> parse_media_type(std::string_view value);

}  // namespace wvds::est
