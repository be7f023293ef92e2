#pragma once

#include <memory>
#include <string>

#include "platform/linux/unique_fd.h"
#include "service/audit_log.h"
#include "service/linux/audit_names.h"

namespace wvds::service {

// AuditFiles keeps the audit log in a folder: audit.log is what is written, audit-NUMBER.log the files before it, each
// named by its first entry, and audit-NUMBER-damaged.log what was set aside, with the number of the entry after it. Of
// the files before it `files` - 1 are kept; what was set aside is never removed.
class AuditFiles final : public AuditMedium {
 public:
  AuditFiles(std::string folder, uint32_t files) : folder_path_(std::move(folder)), files_(files) {}

  bool remembers() const override { return true; }
  Result<std::string> read_current() override;
  Result<std::string> read_former() override;
  Result<> append(std::string_view line, bool durable) override;
  Result<> cut(uint64_t size) override;
  Result<> close_current(uint64_t number, bool damaged) override;

 private:
  Result<> open_folder();
  Result<> open_current(int flags);
  Result<std::string> read(const std::string& name);
  void prune();
  std::unexpected<Error> failed(const std::string& name, const char* what) const;

  const std::string folder_path_;
  const uint32_t files_;
  platform::UniqueFd folder_;
  platform::UniqueFd current_;
};

}  // namespace wvds::service
