#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "keystore/format.h"
#include "keystore/medium.h"
#include "keystore/protector.h"
#include "keystore/store_headers.h"

namespace wvds::keystore {

inline constexpr std::array<std::string_view, 2> kIndexNames{"index-a", "index-b"};

// kRestoringName is a blob that is there while an archive is being restored. Its content says nothing.
inline constexpr std::string_view kRestoringName = "restoring";

// record_name is "k-" and the id as 8 hex digits; id_of_record gives the id back, nothing for other names.
std::string record_name(uint32_t id);
std::optional<uint32_t> id_of_record(std::string_view name);

// StoreFiles reads and writes the blobs of an unlocked store; docs/storage-format.md names them. It knows nothing of
// keys in use. One call at a time; each blocks as long as the disk does. Errors are kStorageError and name the blob and
// the cause.
class StoreFiles {
 public:
  // open unlocks the store on `medium`, or makes one on an empty medium. References must outlive the result. Refused,
  // with nothing changed: a store of a newer format (kUnsupported), of another kind of protector, with both headers
  // lost. What is wrong but not fatal goes into `warnings`.
  static Result<std::unique_ptr<StoreFiles>> open(Medium& medium, Protector& protector, const crypto::Library& library,
                                                  std::vector<std::string>& warnings);

  // with_key is for a store whose key is known: nothing is opened or changed.
  static Result<std::unique_ptr<StoreFiles>> with_key(Medium& medium, const crypto::Library& library, const StoreId& id,
                                                      crypto::LockedBytes store_key);

  const StoreId& id() const { return id_; }

  // record_ids are the records that were there at open, ascending.
  const std::vector<uint32_t>& record_ids() const { return record_ids_; }

  // read_index returns the newest good copy. A bad copy is a warning, none left an error.
  Result<IndexFields> read_index(std::vector<std::string>& warnings);

  // read_index_copy returns one of the two, whatever the other says. kKeyNotFound when there is none.
  Result<IndexFields> read_index_copy(std::string_view name);

  // write_index writes both copies; only when both are durable may anything rely on it.
  Result<> write_index(const IndexFields& index);

  struct Record {
    RecordFields fields;
    crypto::LockedBytes secrets;
    uint32_t bytes = 0;  // size of the blob
  };
  // read_record_blob returns kKeyNotFound when there is none; open_record takes it apart. They are two so that a disk
  // that can't read can be told from a record that is no good.
  Result<std::vector<std::byte>> read_record_blob(uint32_t id) { return medium_.read(record_name(id)); }
  Result<Record> open_record(uint32_t id, Bytes blob) const;
  Result<> write_record(const RecordFields& fields, Bytes secrets);
  Result<> remove_record(uint32_t id);

 private:
  StoreFiles(Medium& medium, const crypto::Library& library) : medium_(medium), library_(library) {}

  Result<> list_records();
  Result<> create(Protector& protector);
  void end_restoring(std::vector<std::string>& warnings);
  Result<> unlock(Protector& protector, const std::vector<HeaderCopy>& copies, std::vector<std::string>& warnings);
  void repair_headers(const HeaderCopy& good, const std::vector<HeaderCopy>& copies,
                      std::vector<std::string>& warnings);
  Result<> check_store(std::string_view name, const BlobView& view) const;
  Result<crypto::LockedBytes> record_key(uint32_t id) const;

  Medium& medium_;
  const crypto::Library& library_;
  StoreId id_{};
  crypto::LockedBytes store_key_;
  std::vector<uint32_t> record_ids_;
  bool restoring_ = false;  // there is a blob of that name
};

}  // namespace wvds::keystore
