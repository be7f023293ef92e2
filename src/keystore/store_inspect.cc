#include "keystore/store_inspect.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "keystore/material.h"
#include "keystore/store_files.h"

namespace wvds::keystore {
namespace {

class Inspector {
 public:
  Inspector(Medium& medium, const crypto::Library& library, StoreFiles& files)
      : medium_(medium), library_(library), files_(files) {}

  void look_at_headers(const OpenedStore& opened) {
    for (const std::string_view name : kHeaderNames) {
      const auto blob = medium_.read(name);
      if (!blob) {
        add(name, blob.error());
      } else if (*blob != opened.header.blob) {
        add(name, what_is_wrong_with(name, *blob));
      }
    }
  }

  void look_at_indexes() {
    for (const std::string_view name : kIndexNames) {
      auto copy = files_.read_index_copy(name);
      if (!copy) {
        add(name, copy.error());
      } else if (!index_ || copy->generation > index_->generation) {
        index_ = std::move(*copy);
      }
    }
  }

  void look_at_records() {
    std::map<uint32_t, const IndexedKey*> listed;
    if (index_) {
      for (const IndexedKey& key : index_->keys) listed[key.id] = &key;
    }
    found_.records = files_.record_ids().size();
    for (const uint32_t id : files_.record_ids()) {
      const auto entry = listed.extract(id);
      if (auto good = look_at_record(id, entry ? entry.mapped() : nullptr); !good) add(record_name(id), good.error());
    }
    for (const auto& [id, key] : listed) {
      add(record_name(id), "missing, though the index lists it: lost, or deleted at the very end of the service");
    }
  }

  StoreInspection take() { return std::move(found_); }

 private:
  Error what_is_wrong_with(std::string_view header, Bytes blob) const {
    auto view = parse_blob(library_, header, BlobKind::kHeader, blob);
    if (!view) return view.error();
    auto fields = HeaderFields::decode(header, view->clear);
    if (!fields) return fields.error();
    return {Status::kStorageError, "not the same as the other: a change of the protector was interrupted; do it again"};
  }

  // Details begin with the blob's name, or its path, which the fault has a place of its own for.
  void add(std::string_view name, const Error& error) {
    const std::string prefix = std::string(name) + ": ";
    const bool named = error.detail.starts_with(prefix);
    if (error.status == Status::kKeyNotFound) return add(name, "missing");
    add(name, named ? error.detail.substr(prefix.size()) : error.detail);
  }
  void add(std::string_view name, std::string what) { found_.faults.push_back({std::string(name), std::move(what)}); }

  static std::unexpected<Error> bad(std::string what) { return fail(Status::kStorageError, std::move(what)); }

  Result<> look_at_record(uint32_t id, const IndexedKey* listed) {
    WVDS_ASSIGN(blob, files_.read_record_blob(id));
    WVDS_ASSIGN(record, files_.open_record(id, blob));
    if (index_) WVDS_TRY(check_against_index(record, listed));
    return look_at_secrets(record);
  }

  Result<> check_against_index(const StoreFiles::Record& record, const IndexedKey* listed) const {
    if (listed == nullptr && record.fields.id < index_->listed_below)
      return bad("this key was deleted and its record put back");
    if (listed == nullptr && record.fields.id >= index_->next_stored_id)
      return bad("has an id that the index never gave out");
    if (listed == nullptr) return {};
    if (record.fields.generation < listed->generation) return bad("an older copy of this record was put back");
    if (record.fields.owner != listed->owner) return bad("belongs to another owner than the index says");
    if (record.fields.spec.limits != listed->limits) return bad("has other limits than the index says");
    if (record.fields.generation == listed->generation && record.bytes != listed->record_bytes)
      return bad("has another size than the index says");
    return {};
  }

  Result<> look_at_secrets(const StoreFiles::Record& record) {
    Reader secrets(record.secrets.expose());
    for (const RecordVersion& version : record.fields.versions) {
      const Algorithm algorithm = record.fields.spec.algorithm;
      WVDS_ASSIGN(secret, crypto::LockedBytes::of_size(secret_size_of(version, algorithm)));
      secrets.copy(secret.expose_for_writing());
      const bool sealed = version.form == SecretForm::kSealed;
      if (sealed) WVDS_TRY(check_secret(version, algorithm, secret.expose()));
      ++found_.versions;
      found_.inside_token += !sealed && secret.size() != 0;
    }
    return secrets.finish();
  }

  Result<> check_secret(const RecordVersion& version, Algorithm algorithm, Bytes secret) const {
    if (!library_.has(algorithm) || version.public_key.empty()) return {};
    ExpandedKeys none(0);
    auto material = secret_material(library_, none, algorithm, secret);
    if (!material && material.error().status == Status::kLimitReached) return forward_error(material);
    if (!material || material->public_key != version.public_key)
      return bad("version " + std::to_string(version.number) + ": its secret is not that of its public key");
    return {};
  }

  Medium& medium_;
  const crypto::Library& library_;
  StoreFiles& files_;
  std::optional<IndexFields> index_;
  StoreInspection found_;
};

}  // namespace

Result<StoreInspection> inspect_store(Medium& medium, const crypto::Library& library, const OpenedStore& opened) {
  WVDS_ASSIGN(key, crypto::LockedBytes::copy_of(opened.key.expose()));
  WVDS_ASSIGN(files, StoreFiles::with_key(medium, library, opened.id(), std::move(key)));
  Inspector inspector(medium, library, *files);
  inspector.look_at_headers(opened);
  inspector.look_at_indexes();
  inspector.look_at_records();
  return inspector.take();
}

}  // namespace wvds::keystore
