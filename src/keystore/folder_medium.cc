#include "keystore/folder_medium.h"

#include <utility>

#include "platform/durable.h"

namespace wvds::keystore {
namespace {

using platform::Disk;
using platform::DurableError;
using platform::Outcome;

class FolderMedium : public Medium {
 public:
  explicit FolderMedium(std::unique_ptr<Disk> disk) : disk_(std::move(disk)) {}

  Result<std::vector<std::string>> list() override {
    WVDS_ASSIGN(names, disk_->list());
    std::erase_if(names, [](const std::string& name) { return name.ends_with(platform::kPartialSuffix); });
    return names;
  }

  Result<std::vector<std::byte>> read(std::string_view name) override { return disk_->read(name, kMaxBlobSize); }

  Result<> replace(std::string_view name, Bytes content) override {
    WVDS_TRY(check_trusted());
    return finish(platform::durable_replace(*disk_, name, content));
  }

  Result<> remove(std::string_view name) override {
    WVDS_TRY(check_trusted());
    return finish(platform::durable_remove(*disk_, name));
  }

 private:
  Result<> check_trusted() const {
    if (distrusted_.empty()) return {};
    return fail(Status::kStorageError,
                "no further changes after \"" + distrusted_ + "\": check the disk, then start the service again");
  }

  Result<> finish(std::expected<void, DurableError> done) {
    if (done) return {};
    if (done.error().outcome == Outcome::kUnknown) distrusted_ = done.error().error.detail;
    return std::unexpected<Error>(std::move(done.error().error));
  }

  std::unique_ptr<Disk> disk_;
  std::string distrusted_;  // the failure after which the disk's state is unknown
};

class LookedInto : public FolderMedium {
 public:
  using FolderMedium::FolderMedium;
  Result<> replace(std::string_view name, Bytes) override { return unchanged(name); }
  Result<> remove(std::string_view name) override { return unchanged(name); }

 private:
  static Result<> unchanged(std::string_view name) {
    return fail(Status::kStorageError, std::string(name) + ": the store is only looked at, not changed");
  }
};

}  // namespace

Result<std::unique_ptr<Medium>> look_into_folder_medium(std::unique_ptr<Disk> disk) {
  WVDS_TRY(disk->use_folder());
  WVDS_TRY(disk->lock());
  return std::make_unique<LookedInto>(std::move(disk));
}

Result<std::unique_ptr<Medium>> open_folder_medium(std::unique_ptr<Disk> disk) {
  WVDS_TRY(platform::open_folder(*disk));
  return std::make_unique<FolderMedium>(std::move(disk));
}

}  // namespace wvds::keystore
