#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "est/failure.h"
#include "est/http.h"

namespace wvds::est {

inline constexpr size_t kMaxParts = 8;
inline constexpr size_t kMaxPartHeader = 4 << 10;

// Part is one part of a multipart body.
struct Part {
  std::vector<HttpField> fields;
  Bytes content;  // within the body

  const std::string* field(std::string_view name) const;  // in lower case; null: not there
};

// split_multipart takes a body apart (RFC 2046, section 5.1.1). What stands before the first and after the last
// boundary is passed over; lines end with CRLF or LF. kBadHttp when the boundary is none, the last one is missing, or a
// part's header can't be read; kTooLarge over the limits.
Outcome<std::vector<Part>> split_multipart(Bytes body, std::string_view boundary);

}  // namespace wvds::est
