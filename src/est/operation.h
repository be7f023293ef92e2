#pragma once

#include <cstdint>
#include <string_view>

namespace wvds::est {

// Operation is what an EST server can be asked for: RFC 7030, section 3.2.2, and renewal-info of
// draft-ietf-lamps-est-renewal-info.
enum class Operation : uint8_t {
  kCaCerts,
  kSimpleEnroll,
  kSimpleReenroll,
  kCsrAttrs,
  kServerKeygen,
  kRenewalInfo,
};

struct OperationInfo {
  std::string_view path;    // the last segment of the path, "simpleenroll"
  std::string_view accept;  // media type of the answer
  bool has_body;            // POST with application/pkcs10; GET otherwise
};

const OperationInfo& operation_info(Operation operation);

// is_operation_path tells whether the segment means an operation, so that it can't be a label (RFC 7030,
// section 3.2.2).
bool is_operation_path(std::string_view segment);

}  // namespace wvds::est
