#include "est_service/file_records.h"

#include <utility>

#include "platform/durable.h"

namespace wvds::est_service {
namespace {

constexpr size_t kMaxFile = 1 << 20;

// A certificate may be called "trust" too.
std::string file_of(const std::string& name) { return name.empty() ? "trust.json" : "certificate-" + name + ".json"; }

class FileRecords : public Records {
 public:
  explicit FileRecords(std::unique_ptr<platform::Disk> disk) : disk_(std::move(disk)) {}

  std::string place_of(const std::string& name) const override { return disk_->path() + "/" + file_of(name); }

  Result<std::vector<std::byte>> read(const std::string& name) override { return disk_->read(file_of(name), kMaxFile); }

  Result<> replace(const std::string& name, Bytes text) override {
    auto saved = platform::durable_replace(*disk_, file_of(name), text);
    if (!saved) return std::unexpected<Error>(std::move(saved.error().error));
    return {};
  }

  Result<> set_aside(const std::string& name) override {
    return disk_->rename(file_of(name), file_of(name) + ".damaged");
  }

 private:
  const std::unique_ptr<platform::Disk> disk_;
};

}  // namespace

Result<std::unique_ptr<Records>> open_file_records(std::unique_ptr<platform::Disk> disk) {
  WVDS_TRY(platform::open_folder(*disk));
  return std::make_unique<FileRecords>(std::move(disk));
}

}  // namespace wvds::est_service
