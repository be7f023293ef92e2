#include "est_service/sector_records.h"

#include <utility>

#include "keystore/block_medium.h"

namespace wvds::est_service {
namespace {

constexpr const char* kTrust = "trust";
constexpr const char* kTrustAside = "trust.damaged";
constexpr const char* kCertificate = "c.";
constexpr const char* kCertificateAside = "d.";
constexpr size_t kLongestName = 29;  // two less than a blob's

std::string blob_of(const std::string& name) { return name.empty() ? kTrust : kCertificate + name; }
std::string aside_of(const std::string& name) { return name.empty() ? kTrustAside : kCertificateAside + name; }

bool is_ours(const std::string& blob) {
  return blob == kTrust || blob == kTrustAside || blob.starts_with(kCertificate) || blob.starts_with(kCertificateAside);
}

class SectorRecords : public Records {
 public:
  SectorRecords(std::string device, std::unique_ptr<keystore::Medium> medium)
      : device_(std::move(device)), medium_(std::move(medium)) {}

  std::string place_of(const std::string& name) const override { return device_ + "/" + blob_of(name); }
  Result<std::vector<std::byte>> read(const std::string& name) override { return medium_->read(blob_of(name)); }
  Result<> replace(const std::string& name, Bytes text) override { return medium_->replace(blob_of(name), text); }

  // A crash in between leaves it in both places; it is then set aside again.
  Result<> set_aside(const std::string& name) override {
    WVDS_ASSIGN(content, medium_->read(blob_of(name)));
    WVDS_TRY(medium_->replace(aside_of(name), content));
    return medium_->remove(blob_of(name));
  }

 private:
  const std::string device_;
  const std::unique_ptr<keystore::Medium> medium_;
};

}  // namespace

Result<> check_sector_config(const config::Est& config) {
  std::string problems;
  if (!config.folder.starts_with("/cap/"))
    problems += "est.folder: must be /cap/NAME on this system, a block device or a dataspace\n";
  for (size_t i = 0; i < config.certificates.size(); ++i) {
    if (config.certificates[i].name.size() <= kLongestName) continue;
    problems += "est.certificates[" + std::to_string(i) + "].name: must have at most " + std::to_string(kLongestName) +
                " characters on this system\n";
  }
  if (problems.empty()) return {};
  return fail(Status::kInvalidArgument, problems);
}

Result<std::unique_ptr<Records>> open_sector_records(std::unique_ptr<platform::BlockDevice> device,
                                                     const crypto::Library& library) {
  const std::string name = device->name();
  WVDS_ASSIGN(medium, keystore::open_or_format_block_medium(std::move(device), library));
  WVDS_ASSIGN(blobs, medium->list());
  for (const std::string& blob : blobs) {
    if (!is_ours(blob))
      return fail(Status::kStorageError, name + ": not est_service's: it holds \"" + blob + "\". Nothing was changed");
  }
  return std::make_unique<SectorRecords>(name, std::move(medium));
}

}  // namespace wvds::est_service
