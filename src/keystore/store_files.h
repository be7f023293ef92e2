#pragma once

#include <memory>
#include <string>
#include <vector>

#include "keystore/format.h"
#include "keystore/medium.h"
#include "keystore/protector.h"

namespace wvds::keystore {

// record_name is "k-" and the id as 8 hex digits.
std::string record_name(uint32_t id);

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

  const StoreId& id() const { return id_; }

  // record_ids are the records that were there at open, ascending.
  const std::vector<uint32_t>& record_ids() const { return record_ids_; }

  // read_index returns the newest good copy. A bad copy is a warning, none left an error.
  Result<IndexFields> read_index(std::vector<std::string>& warnings);

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
  struct HeaderCopy;
  StoreFiles(Medium& medium, const crypto::Library& library) : medium_(medium), library_(library) {}

  Result<> create(Protector& protector);
  Result<> unlock(Protector& protector, std::vector<HeaderCopy>& copies, std::vector<std::string>& warnings);
  Result<> try_header(Protector& protector, const HeaderCopy& copy);
  void repair_headers(const HeaderCopy& good, const std::vector<HeaderCopy>& copies,
                      std::vector<std::string>& warnings);
  Result<HeaderCopy> read_header(std::string_view name);
  Result<IndexFields> read_index_copy(std::string_view name);
  Result<> check_store(std::string_view name, const BlobView& view) const;
  Result<crypto::LockedBytes> record_key(uint32_t id) const;

  Medium& medium_;
  const crypto::Library& library_;
  StoreId id_{};
  crypto::LockedBytes store_key_;
  std::vector<uint32_t> record_ids_;
};

}  // namespace wvds::keystore
