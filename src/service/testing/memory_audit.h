#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/audit_log.h"

namespace wvds::service::testing {

// MemoryAudit keeps an audit log's files in memory and can be told to fail as a full disk or an unreadable one does.
class MemoryAudit final : public AuditMedium {
 public:
  bool remembers() const override { return true; }
  Result<std::string> read_current() override {
    if (unreadable) return fail(Status::kStorageError, "audit.log: cannot read: Input/output error");
    return current;
  }
  Result<std::string> read_former() override {
    if (former_unreadable) return fail(Status::kStorageError, "audit-1.log: cannot read: Input/output error");
    return former.empty() ? std::string() : former.back();
  }

  Result<> append(std::string_view line, bool durable) override {
    if (full) return fail(Status::kStorageError, "audit.log: no space left on device");
    current += line;
    if (durable) durable_bytes = current.size();
    return {};
  }
  Result<> cut(uint64_t size) override {
    current.resize(size);
    return {};
  }
  Result<> close_current(uint64_t number, bool is_damaged) override {
    if (full) return fail(Status::kStorageError, "audit.log: cannot rename: Read-only file system");
    if (is_damaged) {
      damaged.emplace_back(number, current);
    } else {
      former.push_back(current);
    }
    current.clear();
    return {};
  }

  std::string current;
  std::vector<std::string> former;
  std::vector<std::pair<uint64_t, std::string>> damaged;
  size_t durable_bytes = 0;
  bool full = false;
  bool unreadable = false;
  bool former_unreadable = false;
};

}  // namespace wvds::service::testing
