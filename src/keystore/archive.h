#pragma once

#include <vector>

#include "keystore/store_rewrap.h"

// A store in one file, wrapped by a passphrase of its own: docs/storage-format.md, "Archive".
namespace wvds::keystore {

// make_archive puts every record and index of a store at rest, as they are, and the store key, wrapped by `protector`,
// which must be of Place::kFile, into one blob. kStorageError where neither index can be read: nobody could tell then
// which ids were used; also above kMaxArchiveSize.
Result<std::vector<std::byte>> make_archive(Medium& medium, const crypto::Library& library, const OpenedStore& opened,
                                            Protector& protector);

// Restored says what came out of an archive.
struct Restored {
  StoreId id{};
  size_t records = 0;
  size_t used_up = 0;               // keys that have to be rotated before they are used further
  std::vector<std::string> doubts;  // records that can't be read, by name and cause: they are put back as they are
};

// How an archive is opened, and how the store opens that is made of it.
struct Restore {
  const crypto::Library& opening_library;
  Protector& archive_protector;
  const crypto::Library& library;
  Protector& protector;
};

// How far ids are moved on: as many may have been given out since the archive was made.
inline constexpr uint32_t kIdsSkippedByRestore = 65536;

// restore_archive makes a store of an archive on `medium`, which must hold none, but may hold what an interrupted
// restore has left. Ids go on kIdsSkippedByRestore further, and every version whose uses are counted counts as used up.
// kStorageError: a damaged, changed or foreign archive, a wrong passphrase, a medium that holds a store or fails;
// kUnsupported: an archive of a newer program. On failure the medium is as empty as it was; where it can't be written
// any more, or the power goes, nothing opens what is there but another restore.
Result<Restored> restore_archive(Bytes archive, Medium& medium, const Restore& restore);

// is_archived tells whether a blob of that name belongs into an archive.
bool is_archived(std::string_view name);

// How an archive's clear part lies: for the fuzz target, too. `blobs` are by ascending name.
struct ArchivedBlob {
  std::string name;
  Bytes content;
};
struct ArchiveFields {
  std::vector<std::byte> protector_header;
  std::vector<ArchivedBlob> blobs;
  Extensions extensions;

  // decode's blobs point into `clear`. It accepts exactly what encode writes.
  static Result<ArchiveFields> decode(std::string_view name, Bytes clear);
  Result<std::vector<std::byte>> encode() const;
};

}  // namespace wvds::keystore
