#include "est/operation.h"

#include <algorithm>
#include <array>

namespace wvds::est {
namespace {

// In the order of the enumeration
constexpr std::array kOperations = {
    OperationInfo{"cacerts", "application/pkcs7-mime", false},
    OperationInfo{"simpleenroll", "application/pkcs7-mime", true},
    OperationInfo{"simplereenroll", "application/pkcs7-mime", true},
    OperationInfo{"csrattrs", "application/csrattrs", false},
    OperationInfo{"serverkeygen", "multipart/mixed", true},
    OperationInfo{"renewal-info", "application/json", false},
};
static_assert(kOperations.size() == static_cast<size_t>(Operation::kRenewalInfo) + 1);

}  // namespace

const OperationInfo& operation_info(Operation operation) { return kOperations.at(static_cast<size_t>(operation)); }

bool is_operation_path(std::string_view segment) {
  const bool ours = std::ranges::find(kOperations, segment, &OperationInfo::path) != kOperations.end();
  return ours || segment == "fullcmc";
}

}  // namespace wvds::est
