#include "keystore/archive.h"

#include <algorithm>
#include <map>
#include <utility>

#include "keystore/audit_head.h"
#include "keystore/store.h"
#include "keystore/store_files.h"

namespace wvds::keystore {
namespace {

constexpr std::string_view kArchiveName = "the archive";
constexpr std::string_view kArchiveLabel = "WvdS store v1 archive";

std::unexpected<Error> refuse(std::string why) { return fail(Status::kStorageError, std::move(why)); }

Result<crypto::LockedBytes> archive_key(const crypto::Library& library, const crypto::LockedBytes& protecting,
                                        const StoreId& store) {
  return derive_key(library, protecting.expose(), store, as_bytes(kArchiveLabel));
}

Result<std::unique_ptr<StoreFiles>> files_of(Medium& medium, const crypto::Library& library, const StoreId& id,
                                             const crypto::LockedBytes& store_key) {
  WVDS_ASSIGN(key, crypto::LockedBytes::copy_of(store_key.expose()));
  return StoreFiles::with_key(medium, library, id, std::move(key));
}

// ArchiveMedium shows an archive's blobs as a medium that can't be written.
class ArchiveMedium : public Medium {
 public:
  explicit ArchiveMedium(const std::vector<ArchivedBlob>& blobs) : blobs_(blobs) {}

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    names.reserve(blobs_.size());
    for (const ArchivedBlob& blob : blobs_) names.push_back(blob.name);
    return names;
  }
  Result<std::vector<std::byte>> read(std::string_view name) override {
    const auto found = std::ranges::find(blobs_, name, &ArchivedBlob::name);
    if (found == blobs_.end()) return fail(Status::kKeyNotFound, std::string(name) + ": not in the archive");
    return std::vector<std::byte>(found->content.begin(), found->content.end());
  }
  Result<> replace(std::string_view, Bytes) override { return refuse("an archive is not changed"); }
  Result<> remove(std::string_view) override { return refuse("an archive is not changed"); }

 private:
  const std::vector<ArchivedBlob>& blobs_;
};

struct OpenedArchive {
  StoreId id{};
  crypto::LockedBytes store_key;
  ArchiveFields fields;  // its blobs point into the archive
};

Result<OpenedArchive> open_archive(Bytes archive, const crypto::Library& library, Protector& protector) {
  WVDS_ASSIGN(view, parse_blob(library, kArchiveName, BlobKind::kArchive, archive));
  WVDS_ASSIGN(fields, ArchiveFields::decode(kArchiveName, view.clear));
  WVDS_ASSIGN(protecting, protector.unlock(library, fields.protector_header));
  WVDS_ASSIGN(key, archive_key(library, protecting, view.store));
  WVDS_ASSIGN(store_key, open_sealed(library, kArchiveName, key.expose(), view));
  if (store_key.size() != kAesKeySize) return refuse("the archive holds a store key of a wrong size");
  return OpenedArchive{view.store, std::move(store_key), std::move(fields)};
}

// IndexAfter makes the index that a restored store begins with, from the archive's index and records.
class IndexAfter {
 public:
  IndexAfter(IndexFields index, StoreFiles& files, Restored& restored)
      : index_(std::move(index)), files_(files), restored_(restored) {}

  Result<IndexFields> make() {
    for (IndexedKey& key : index_.keys) listed_[key.id] = std::move(key);
    const uint32_t listed_below = index_.listed_below;
    index_.generation += 1;
    index_.next_stored_id = moved_on(index_.next_stored_id, kFirstStoredId, kFirstMemoryId);
    index_.next_memory_id = moved_on(index_.next_memory_id, kFirstMemoryId, kEndOfMemoryIds);
    index_.listed_below = index_.next_stored_id;
    index_.keys.clear();
    forget_audit_head(index_.extensions);
    for (const uint32_t id : files_.record_ids()) WVDS_TRY(adopt(id, listed_below));
    return std::move(index_);
  }

 private:
  static uint32_t moved_on(uint32_t next, uint32_t first, uint32_t end) {
    return static_cast<uint32_t>(std::min<uint64_t>(end, uint64_t{std::max(next, first)} + kIdsSkippedByRestore));
  }

  static uint64_t all_uses(const KeyLimits& limits) {
    constexpr uint64_t kMostOfAes = uint64_t{1} << 32;
    return limits.max_uses != 0 ? limits.max_uses : kMostOfAes;
  }

  // A record that was deleted and put back stays what it is: not listed, below the mark.
  Result<> adopt(uint32_t id, uint32_t listed_below) {
    const auto listed = listed_.find(id);
    if (listed == listed_.end() && id < listed_below) return {};
    WVDS_ASSIGN(blob, files_.read_record_blob(id));
    const auto record = files_.open_record(id, blob);
    if (record && (listed == listed_.end() || record->fields.generation >= listed->second.generation)) {
      add(entry_of(*record));
    } else if (listed != listed_.end()) {
      doubt(id, record ? "is older than the archive's index says" : record.error().detail);
      for (IndexedVersion& version : listed->second.versions) version.uses = all_uses(listed->second.limits);
      add(std::move(listed->second));
    } else {
      doubt(id, record.error().detail);
      index_.listed_below = std::min(index_.listed_below, id);
    }
    return {};
  }

  static IndexedKey entry_of(const StoreFiles::Record& record) {
    const RecordFields& fields = record.fields;
    const RecordVersion& newest = fields.versions.front();
    IndexedKey key{.id = fields.id,
                   .generation = fields.generation,
                   .record_bytes = record.bytes,
                   .owner = fields.owner,
                   .versions = {},
                   .limits = fields.spec.limits,
                   .retired = newest.state == VersionState::kRetired && fields.spec.limits.any()};
    if (version_is_counted(fields.spec, newest.state))
      key.versions.push_back({newest.number, all_uses(fields.spec.limits)});
    return key;
  }

  void add(IndexedKey key) {
    restored_.used_up += !key.versions.empty();
    index_.keys.push_back(std::move(key));
  }

  void doubt(uint32_t id, const std::string& why) {
    const std::string name = record_name(id);
    restored_.doubts.push_back(why.starts_with(name) ? why : name + ": " + why);
  }

  IndexFields index_;
  StoreFiles& files_;
  Restored& restored_;
  std::map<uint32_t, IndexedKey> listed_;
};

// check_empty returns what an interrupted restore has left.
Result<std::vector<std::string>> check_empty(Medium& medium) {
  WVDS_ASSIGN(names, medium.list());
  const auto there = [&](std::string_view name) { return std::ranges::find(names, name) != names.end(); };
  const bool interrupted = there(kRestoringName);
  const bool has_header = std::ranges::any_of(kHeaderNames, there);
  std::erase_if(names, [](const std::string& name) { return !is_archived(name); });
  if (has_header || (!names.empty() && !interrupted))
    return refuse("there is a store already: a backup is restored into an empty folder only");
  return names;
}

// The header comes last, as with a new store: until it is there, the medium holds none.
Result<> write_store(const OpenedArchive& archive, const IndexFields& index, Medium& medium, const Restore& restore) {
  WVDS_ASSIGN(header, make_header(restore.library, restore.protector, archive.id, archive.store_key.expose(), 1));
  WVDS_TRY(medium.replace(kRestoringName, {}));
  for (const ArchivedBlob& blob : archive.fields.blobs) {
    if (id_of_record(blob.name)) WVDS_TRY(medium.replace(blob.name, blob.content));
  }
  WVDS_ASSIGN(files, files_of(medium, restore.library, archive.id, archive.store_key));
  WVDS_TRY(files->write_index(index));
  for (const std::string_view name : kHeaderNames) WVDS_TRY(medium.replace(name, header));
  return medium.remove(kRestoringName);
}

// clear takes away what write_store wrote, the headers first; failures leave what another restore starts from.
void clear(const OpenedArchive& archive, Medium& medium) {
  std::vector<std::string> names(kHeaderNames.rbegin(), kHeaderNames.rend());
  names.insert(names.end(), kIndexNames.begin(), kIndexNames.end());
  for (const ArchivedBlob& blob : archive.fields.blobs) names.push_back(blob.name);
  names.emplace_back(kRestoringName);
  for (const std::string& name : names) {
    if (!medium.remove(name)) return;
  }
}

}  // namespace

Result<std::vector<std::byte>> make_archive(Medium& medium, const crypto::Library& library, const OpenedStore& opened,
                                            Protector& protector) {
  if (protector.place() != Place::kFile) return fail(Status::kInvalidArgument, "an archive is wrapped by a passphrase");
  WVDS_ASSIGN(files, files_of(medium, library, opened.id(), opened.key));
  std::vector<std::string> warnings;
  WVDS_TRY(files->read_index(warnings));
  WVDS_ASSIGN(names, medium.list());
  std::ranges::sort(names);
  std::map<std::string, std::vector<std::byte>> blobs;
  for (const std::string& name : names) {
    if (!is_archived(name)) continue;
    WVDS_ASSIGN(blob, medium.read(name));
    blobs[name] = std::move(blob);
  }
  ArchiveFields fields;
  for (const auto& [name, blob] : blobs) fields.blobs.push_back({name, blob});
  WVDS_ASSIGN(protecting, protector.create(library, fields.protector_header));
  WVDS_ASSIGN(key, archive_key(library, protecting, opened.id()));
  WVDS_ASSIGN(clear, fields.encode());
  blobs.clear();
  return seal_blob(library, key.expose(), BlobKind::kArchive, opened.id(), clear, opened.key.expose());
}

Result<Restored> restore_archive(Bytes archive, Medium& medium, const Restore& restore) {
  WVDS_ASSIGN(left_over, check_empty(medium));
  WVDS_ASSIGN(opened, open_archive(archive, restore.opening_library, restore.archive_protector));
  ArchiveMedium archived(opened.fields.blobs);
  WVDS_ASSIGN(files, files_of(archived, restore.library, opened.id, opened.store_key));
  Restored restored;
  restored.id = opened.id;
  restored.records = files->record_ids().size();
  WVDS_ASSIGN(before, files->read_index(restored.doubts));
  WVDS_ASSIGN(index, IndexAfter(std::move(before), *files, restored).make());
  for (const std::string& name : left_over) WVDS_TRY(medium.remove(name));
  auto written = write_store(opened, index, medium, restore);
  if (!written) {
    clear(opened, medium);
    return forward_error(written);
  }
  return restored;
}

}  // namespace wvds::keystore
