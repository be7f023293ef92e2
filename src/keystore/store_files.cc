#include "keystore/store_files.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace wvds::keystore {
namespace {

constexpr std::string_view kRecordPrefix = "k-";
constexpr std::string_view kHexDigits = "0123456789abcdef";

constexpr std::string_view kIndexLabel = "WvdS store v1 index";
constexpr std::string_view kRecordLabel = "WvdS store v1 key ";

}  // namespace

std::optional<uint32_t> id_of_record(std::string_view name) {
  if (name.size() != kRecordPrefix.size() + 8 || !name.starts_with(kRecordPrefix)) return std::nullopt;
  uint32_t id = 0;
  for (const char digit : name.substr(kRecordPrefix.size())) {
    const size_t value = kHexDigits.find(digit);
    if (value == std::string_view::npos) return std::nullopt;
    id = id << 4 | static_cast<uint32_t>(value);
  }
  return id == 0 ? std::nullopt : std::optional(id);
}

std::string record_name(uint32_t id) {
  std::string name(kRecordPrefix);
  for (int shift = 28; shift >= 0; shift -= 4) name += kHexDigits[id >> shift & 15];
  return name;
}

Result<std::unique_ptr<StoreFiles>> StoreFiles::open(Medium& medium, Protector& protector,
                                                     const crypto::Library& library,
                                                     std::vector<std::string>& warnings) {
  std::unique_ptr<StoreFiles> files(new StoreFiles(medium, library));
  WVDS_TRY(files->list_records());
  WVDS_ASSIGN(headers, read_headers(medium, library));
  const std::string& lost = headers.lost;
  if (!headers.whole.empty()) {
    if (!lost.empty()) warnings.push_back(lost + "; its other copy is used");
    WVDS_TRY(files->unlock(protector, headers.whole, warnings));
    files->end_restoring(warnings);
  } else if (!lost.empty() || (!files->record_ids_.empty() && !files->restoring_)) {
    return refuse_blob(lost.empty() ? "header-a and header-b: missing" : lost,
                       "without a header the keys can't be read: put one back from a backup");
  } else if (files->restoring_) {
    return refuse_blob("header-a and header-b: missing", "restoring a backup was interrupted here: do it again");
  } else {
    WVDS_TRY(files->create(protector));
  }
  return files;
}

Result<std::unique_ptr<StoreFiles>> StoreFiles::with_key(Medium& medium, const crypto::Library& library,
                                                         const StoreId& id, crypto::LockedBytes store_key) {
  std::unique_ptr<StoreFiles> files(new StoreFiles(medium, library));
  files->id_ = id;
  files->store_key_ = std::move(store_key);
  WVDS_TRY(files->list_records());
  return files;
}

Result<> StoreFiles::list_records() {
  WVDS_ASSIGN(names, medium_.list());
  for (const std::string& name : names) {
    if (const auto id = id_of_record(name)) record_ids_.push_back(*id);
    restoring_ |= name == kRestoringName;
  }
  std::ranges::sort(record_ids_);
  return {};
}

// The header comes last: a store is there as soon as it has one, and is complete then.
Result<> StoreFiles::create(Protector& protector) {
  WVDS_TRY(library_.random(id_));
  WVDS_ASSIGN(store_key, crypto::LockedBytes::of_size(kAesKeySize));
  WVDS_TRY(library_.random_secret(store_key.expose_for_writing()));
  store_key_ = std::move(store_key);
  WVDS_ASSIGN(blob, make_header(library_, protector, id_, store_key_.expose(), 1));
  WVDS_TRY(write_index(
      {.generation = 1, .next_stored_id = 0, .next_memory_id = 0, .listed_below = 0, .keys = {}, .extensions = {}}));
  for (const std::string_view name : kHeaderNames) WVDS_TRY(medium_.replace(name, blob));
  return {};
}

// Copies differ only after a crash during a change of the protector: then the newer one counts if it can be opened.
Result<> StoreFiles::unlock(Protector& protector, const std::vector<HeaderCopy>& copies,
                            std::vector<std::string>& warnings) {
  Result<> unlocked;
  for (const HeaderCopy& copy : copies) {
    if (&copy != copies.data() && copy.blob == copies[0].blob) break;
    auto store_key = open_header(library_, copy, protector);
    if (store_key) {
      store_key_ = std::move(*store_key);
      id_ = copy.view.store;
      repair_headers(copy, copies, warnings);
      return {};
    }
    if (unlocked) unlocked = forward_error(store_key);
  }
  return unlocked;
}

// A store that opens was restored as a whole. Left there, the mark would once allow to restore over it.
void StoreFiles::end_restoring(std::vector<std::string>& warnings) {
  if (!restoring_) return;
  if (auto removed = medium_.remove(kRestoringName); !removed) warnings.push_back(removed.error().detail);
}

void StoreFiles::repair_headers(const HeaderCopy& good, const std::vector<HeaderCopy>& copies,
                                std::vector<std::string>& warnings) {
  for (const std::string_view name : kHeaderNames) {
    const auto other = std::ranges::find(copies, name, &HeaderCopy::name);
    if (other != copies.end() && (other->blob == good.blob || other->fields.generation > good.fields.generation))
      continue;
    if (auto written = medium_.replace(name, good.blob); !written) warnings.push_back(written.error().detail);
  }
}

Result<> StoreFiles::check_store(std::string_view name, const BlobView& view) const {
  if (view.store == id_) return {};
  return refuse_blob(
      name, "belongs to another store (" + store_id_text(view.store) + ", this one is " + store_id_text(id_) + ")");
}

Result<IndexFields> StoreFiles::read_index_copy(std::string_view name) {
  WVDS_ASSIGN(blob, medium_.read(name));
  WVDS_ASSIGN(view, parse_blob(library_, name, BlobKind::kIndex, blob));
  WVDS_TRY(check_store(name, view));
  WVDS_ASSIGN(key, derive_key(library_, store_key_.expose(), id_, as_bytes(kIndexLabel)));
  WVDS_TRY(open_sealed(library_, name, key.expose(), view));
  return IndexFields::decode(name, view.clear);
}

Result<IndexFields> StoreFiles::read_index(std::vector<std::string>& warnings) {
  std::optional<IndexFields> best;
  std::string lost;
  for (const std::string_view name : kIndexNames) {
    auto copy = read_index_copy(name);
    if (!copy && copy.error().status == Status::kUnsupported) return copy;
    if (!copy) {
      const bool missing = copy.error().status == Status::kKeyNotFound;
      lost += (lost.empty() ? "" : "; ") + (missing ? std::string(name) + ": missing" : copy.error().detail);
    } else if (!best || copy->generation > best->generation) {
      best = std::move(*copy);
    }
  }
  if (!best) return fail(Status::kStorageError, lost);
  if (!lost.empty()) warnings.push_back(lost + "; its other copy is used");
  return std::move(*best);
}

Result<> StoreFiles::write_index(const IndexFields& index) {
  WVDS_ASSIGN(key, derive_key(library_, store_key_.expose(), id_, as_bytes(kIndexLabel)));
  WVDS_ASSIGN(blob, seal_blob(library_, key.expose(), BlobKind::kIndex, id_, index.encode(), {}));
  for (const std::string_view name : kIndexNames) WVDS_TRY(medium_.replace(name, blob));
  return {};
}

// A key of its own for each record: one that is renamed to another id does not open.
Result<crypto::LockedBytes> StoreFiles::record_key(uint32_t id) const {
  std::array<std::byte, kRecordLabel.size() + 4> label{};
  Writer writer(label);
  writer.text(kRecordLabel);
  writer.u32(id);
  return derive_key(library_, store_key_.expose(), id_, label);
}

Result<StoreFiles::Record> StoreFiles::open_record(uint32_t id, Bytes blob) const {
  const std::string name = record_name(id);
  WVDS_ASSIGN(view, parse_blob(library_, name, BlobKind::kKey, blob));
  WVDS_TRY(check_store(name, view));
  WVDS_ASSIGN(key, record_key(id));
  Record record;
  WVDS_ASSIGN(secrets, open_sealed(library_, name, key.expose(), view));
  record.secrets = std::move(secrets);
  WVDS_ASSIGN(fields, RecordFields::decode(name, view.clear));
  record.fields = std::move(fields);
  record.bytes = static_cast<uint32_t>(blob.size());
  if (record.fields.id != id || record.fields.secret_size() != record.secrets.size())
    return refuse_blob(name, "does not fit its name or its secrets");
  return record;
}

Result<> StoreFiles::write_record(const RecordFields& fields, Bytes secrets) {
  WVDS_ASSIGN(key, record_key(fields.id));
  WVDS_ASSIGN(blob, seal_blob(library_, key.expose(), BlobKind::kKey, id_, fields.encode(), secrets));
  return medium_.replace(record_name(fields.id), blob);
}

Result<> StoreFiles::remove_record(uint32_t id) { return medium_.remove(record_name(id)); }

}  // namespace wvds::keystore
