#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/disk.h"

// A disk in memory that keeps what a real one may keep: after a power cut, unsynced content may be missing or torn, and
// unsynced names may be there or not, each for itself and in any order. Only what POSIX promises is promised.
namespace wvds::platform::testing {

struct FakeFile {
  std::vector<std::byte> cached;   // what programs see
  std::vector<std::byte> durable;  // what was there at the last sync of the file
  bool dirty = false;
};

struct NameStep {
  std::string erased;  // empty: none
  std::string made;    // empty: none
  int file = 0;
};

// FakeVolume is one folder's state, cache and platter. A value: copy it to try several futures.
struct FakeVolume {
  bool folder_cached = false;
  bool folder_durable = false;
  std::vector<FakeFile> files;
  std::map<std::string, int, std::less<>> cached_names;
  std::map<std::string, int, std::less<>> durable_names;
  std::vector<NameStep> unsynced_names;
};

// after_power_cut lists states that may be found when the power comes back; all of them when they are few, else a
// sample of about `limit` that depends on `seed` only.
std::vector<FakeVolume> after_power_cut(const FakeVolume& volume, size_t limit, uint64_t seed);

// Faults decide what goes wrong. May be shared by several disks, so that one count of steps runs over all.
struct Faults {
  static constexpr size_t kNever = SIZE_MAX;

  size_t steps = 0;                                      // changing steps tried so far
  size_t power_off_at = kNever;                          // from this step on nothing works and nothing changes
  size_t fail_at = kNever;                               // this one step fails
  size_t full_from = kNever;                             // from this step on nothing can be created or written
  bool read_only = false;                                // every change fails
  std::optional<SyncPoint> ignored_sync = std::nullopt;  // reports success and does nothing
  std::optional<SyncPoint> failing_sync = std::nullopt;  // fails and does nothing
  bool others_can_read_secrets = false;

  bool power_is_off() const { return steps > power_off_at; }
};

class FakeDisk : public Disk {
 public:
  // Both must outlive the disk. A second disk on the same volume is a second process, or the same after a restart.
  FakeDisk(std::string path, FakeVolume& volume, Faults& faults)
      : path_(std::move(path)), volume_(volume), faults_(faults) {}

  const std::string& path() const override { return path_; }
  Result<> make_folder() override;
  Result<> use_folder() override;
  Result<> lock() override { return {}; }
  Result<std::vector<std::string>> list() override;
  Result<std::vector<std::byte>> read(std::string_view name, size_t limit) override;
  Result<size_t> read_secret(std::string_view name, MutableBytes out) override;
  Result<std::unique_ptr<DiskFile>> create(std::string_view name) override;
  Result<> rename(std::string_view from, std::string_view to) override;
  Result<> unlink(std::string_view name) override;
  Result<> sync_folder(SyncPoint point) override;
  Result<> sync_parent(SyncPoint point) override;

 private:
  friend class FakeDiskFile;
  enum class Step { kName, kSpace, kSync };
  Result<> step(Step kind, std::string_view what);
  // sync_step tells whether the sync is to have its effect.
  Result<bool> sync_step(SyncPoint point);

  std::string path_;
  FakeVolume& volume_;
  Faults& faults_;
};

}  // namespace wvds::platform::testing
