#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace wvds::platform {

// SyncPoint names each place of the product that asks a disk to make something durable. The power-cut tests leave out
// one after the other and must notice every time, so a new call of a sync function gets a name of its own here.
enum class SyncPoint : uint8_t {
  kFileContent,   // durable_replace, before the rename
  kNewName,       // durable_replace, after the rename
  kRemovedName,   // durable_remove, after the unlink
  kOpenedFolder,  // open_folder: what a former process left unsynced is about to be shown to somebody
  kMadeFolder,    // open_folder: the folder's own name in its parent
};
inline constexpr std::array kSyncPoints{SyncPoint::kFileContent, SyncPoint::kNewName, SyncPoint::kRemovedName,
                                        SyncPoint::kOpenedFolder, SyncPoint::kMadeFolder};
const char* sync_point_name(SyncPoint point);

// DiskFile is a new file that is being written. Closed by its destructor; what was not synced may be lost.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  virtual Result<> write(Bytes content) = 0;
  virtual Result<> sync(SyncPoint point) = 0;
};

// Disk is one folder of files, in the single steps that durability is made of. Nothing is durable before the matching
// sync returned; until then a power cut may keep, lose or tear it, each step on its own and in any order. Names are
// plain file names. Every failure is kStorageError with a detail that names the file and the cause, unless said
// otherwise. Blocking; one call at a time.
class Disk {
 public:
  virtual ~Disk() = default;

  // path is the folder's name for messages.
  virtual const std::string& path() const = 0;

  // make_folder makes the folder unless it is there, and opens it; use_folder opens one that is there. One of them
  // comes first. Both refuse a folder that belongs to, or can be written by, anybody but this user and the
  // administrator.
  virtual Result<> make_folder() = 0;
  virtual Result<> use_folder() = 0;

  // lock claims the folder for this object until it is destroyed or its process ends, however it ends. Fails when
  // another one has it.
  virtual Result<> lock() = 0;

  virtual Result<std::vector<std::string>> list() = 0;

  // read returns a whole file of at most `limit` bytes; kKeyNotFound when there is none of that name.
  virtual Result<std::vector<std::byte>> read(std::string_view name, size_t limit) = 0;

  // read_secret fills `out` and returns the file's size, which must not be above out.size(). Refuses a file that
  // anybody but this user and the administrator can read or write. kKeyNotFound when there is none. On failure `out` is
  // wiped.
  virtual Result<size_t> read_secret(std::string_view name, MutableBytes out) = 0;

  // create makes an empty file that only this user can read; fails when the name is taken.
  virtual Result<std::unique_ptr<DiskFile>> create(std::string_view name) = 0;

  // rename replaces `to` in one step if it is there. unlink of a name that is not there succeeds.
  virtual Result<> rename(std::string_view from, std::string_view to) = 0;
  virtual Result<> unlink(std::string_view name) = 0;

  // sync_folder makes all names of the folder durable; sync_parent the folder's own.
  virtual Result<> sync_folder(SyncPoint point) = 0;
  virtual Result<> sync_parent(SyncPoint point) = 0;
};

// open_disk gives the real thing; the folder is not touched before make_folder.
std::unique_ptr<Disk> open_disk(std::string_view folder);

}  // namespace wvds::platform
