#include "service/linux/audit_names.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

namespace wvds::service {
namespace {

constexpr std::string_view kPrefix = "audit-";
constexpr std::string_view kSuffix = ".log";
constexpr size_t kDigits = 12;

bool is_former(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return false;
  const auto number = std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  return number.size() >= kDigits && number.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string former_audit_name(uint64_t number) {
  const std::string digits = std::to_string(number);
  return std::string(kPrefix) + std::string(kDigits - std::min(kDigits, digits.size()), '0') + digits +
         std::string(kSuffix);
}

std::vector<std::string> former_audit_files(const std::vector<std::string>& names) {
  std::vector<std::string> former;
  std::ranges::copy_if(names, std::back_inserter(former), is_former);
  std::ranges::sort(former, {}, [](const std::string& name) { return std::pair(name.size(), name); });
  return former;
}

}  // namespace wvds::service
