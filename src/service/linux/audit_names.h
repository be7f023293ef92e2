#pragma once

#include <string>
#include <vector>

// The names of the audit log's files in their folder.
namespace wvds::service {

inline constexpr const char* kCurrentAuditFile = "audit.log";

// former_audit_name is the name of a closed file that begins with entry `number`.
std::string former_audit_name(uint64_t number);

// former_audit_files picks the closed files that are part of the chain out of a folder's names, the oldest first.
std::vector<std::string> former_audit_files(const std::vector<std::string>& names);

}  // namespace wvds::service
