#include "platform/durable.h"

#include <string>

namespace wvds::platform {
namespace {

std::unexpected<DurableError> failed(Result<>& result, Outcome outcome) {
  return std::unexpected<DurableError>({std::move(result.error()), outcome});
}

Result<> write_file(Disk& disk, const std::string& name, Bytes content) {
  WVDS_ASSIGN(file, disk.create(name));
  WVDS_TRY(file->write(content));
  return file->sync(SyncPoint::kFileContent);
}

}  // namespace

const char* sync_point_name(SyncPoint point) {
  switch (point) {
    case SyncPoint::kFileContent: return "file content";
    case SyncPoint::kNewName: return "new name";
    case SyncPoint::kRemovedName: return "removed name";
    case SyncPoint::kOpenedFolder: return "opened folder";
    case SyncPoint::kMadeFolder: return "made folder";
  }
  return "unknown";
}

std::expected<void, DurableError> durable_replace(Disk& disk, std::string_view name, Bytes content) {
  const std::string partial = std::string(name) + std::string(kPartialSuffix);
  // What an earlier failure left under this name is worth nothing.
  if (auto gone = disk.unlink(partial); !gone) return failed(gone, Outcome::kUnchanged);
  auto done = write_file(disk, partial, content);
  if (done) done = disk.rename(partial, name);
  if (!done) {
    // The cause of the failure is worth more than that of a failed clean-up; open_folder cleans up too.
    static_cast<void>(disk.unlink(partial).has_value());
    return failed(done, Outcome::kUnchanged);
  }
  if (auto synced = disk.sync_folder(SyncPoint::kNewName); !synced) return failed(synced, Outcome::kUnknown);
  return {};
}

std::expected<void, DurableError> durable_remove(Disk& disk, std::string_view name) {
  if (auto gone = disk.unlink(name); !gone) return failed(gone, Outcome::kUnchanged);
  if (auto synced = disk.sync_folder(SyncPoint::kRemovedName); !synced) return failed(synced, Outcome::kUnknown);
  return {};
}

Result<> open_folder(Disk& disk) {
  WVDS_TRY(disk.make_folder());
  WVDS_TRY(disk.lock());
  WVDS_ASSIGN(names, disk.list());
  bool has_content = false;
  for (const std::string& name : names) {
    if (!name.ends_with(kPartialSuffix)) {
      has_content = true;
    } else if (auto gone = disk.unlink(name); !gone) {
      // On a read-only disk a half-written file stays, and does no harm: nothing reads it.
      continue;
    }
  }
  // Nothing was ever acknowledged from an empty folder; from one with content, its name was made durable before.
  if (!has_content) WVDS_TRY(disk.sync_parent(SyncPoint::kMadeFolder));
  return disk.sync_folder(SyncPoint::kOpenedFolder);
}

}  // namespace wvds::platform
