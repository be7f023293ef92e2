#include <utility>

#include "base/log.h"
#include "keystore/store.h"

// From a record to a key that can be used.
namespace wvds::keystore {

// load reads a record on its first use.
Result<std::shared_ptr<StoredKey>> Store::load(uint32_t id) {
  Entry entry;
  {
    const std::shared_lock lock(table_);
    const auto found = entries_.find(id);
    if (found == entries_.end()) return fail(Status::kKeyNotFound);
    if (found->second.key != nullptr) return found->second.key;
    if (!found->second.damage.empty()) return fail(Status::kStorageError, found->second.damage);
    entry = found->second;
  }
  auto record = read_checked(id, entry);
  if (!record) return forward_error(record);
  const uint32_t bytes = record->bytes;
  WVDS_ASSIGN(key, build_key(std::move(*record), entry));
  const std::unique_lock lock(table_);
  Entry& kept = entries_.at(id);
  kept.key = key;
  // A record that is newer than the index has a size of its own.
  kept.owner->adopt_size(std::exchange(kept.bytes, bytes), bytes);
  kept.generation = entry.generation;
  kept.counter = entry.counter;
  kept.counted_version = entry.counted_version;
  kept.limits = entry.limits;
  kept.retired = entry.retired;
  return key;
}

// read_checked fails with kStorageError, or kLimitReached without memory for the secrets.
Result<StoreFiles::Record> Store::read_checked(uint32_t id, const Entry& entry) {
  auto blob = files_->read_record_blob(id);
  if (!blob && blob.error().status != Status::kKeyNotFound) return forward_error(blob);
  auto record =
      blob ? open_checked(id, entry, *blob)
           : Result<StoreFiles::Record>(fail(Status::kStorageError, record_name(id) + ": the record is missing"));
  if (record || record.error().status == Status::kLimitReached) return record;
  note_damage(id, record.error().detail);
  return fail(Status::kStorageError, record.error().detail);
}

// note_damage remembers that a record can't be used, so that nobody can make the service read it over and over.
void Store::note_damage(uint32_t id, const std::string& why) {
  log_error("a key record can't be used", {{"key", id}, {"cause", why}});
  const std::unique_lock lock(table_);
  entries_.at(id).damage = why;
}

// An older record than the index knows was put back by somebody, perhaps with a version that was deleted.
Result<StoreFiles::Record> Store::open_checked(uint32_t id, const Entry& entry, Bytes blob) const {
  WVDS_ASSIGN(record, files_->open_record(id, blob));
  if (record.fields.generation < entry.generation) {
    return fail(Status::kStorageError,
                record_name(id) + ": an older copy of this record was put back; restore the newest one");
  }
  if (record.fields.owner != entry.owner->name())
    return fail(Status::kStorageError, record_name(id) + ": belongs to another owner than the index says");
  if (record.fields.spec.limits != entry.limits)
    return fail(Status::kStorageError, record_name(id) + ": has other limits than the index says");
  return record;
}

// counter_of gives a counted version its count: the index's, or where the version is newer than the index what its
// record granted, all of which may have been used.
std::shared_ptr<UseCounter> Store::counter_of(const RecordFields& record, const Entry& entry) const {
  const RecordVersion& newest = record.versions.front();
  if (!version_is_counted(record.spec, newest.state)) return nullptr;
  const uint64_t limit = use_limit_of(record.spec, shared_->config);
  const bool is_listed = entry.counter != nullptr && entry.counted_version == newest.number;
  if (is_listed && entry.counter->limit() == limit) return entry.counter;
  const uint64_t uses = is_listed ? entry.counter->granted() : newest.uses;
  auto counter = std::make_shared<UseCounter>(uses, uses, limit, bell_, largest_block_of(record.spec.limits));
  if (!index_lost_.empty()) {
    counter = std::make_shared<UseCounter>(limit, limit, limit, nullptr);
    counter->close(Status::kStorageError);
  }
  return counter;
}

Result<std::shared_ptr<StoredKey>> Store::build_key(StoreFiles::Record record, Entry& entry) {
  RecordFields& fields = record.fields;
  auto counter = counter_of(fields, entry);
  StoredVersions versions;
  Reader secrets(record.secrets.expose());
  for (RecordVersion& version : fields.versions) {
    StoredVersion::Parts parts{
        .number = version.number, .state = version.state, .material = {}, .counter = nullptr, .uses = version.uses};
    if (version.form != SecretForm::kPublicOnly) {
      WVDS_ASSIGN(secret, crypto::LockedBytes::of_size(secret_size_of(version, fields.spec.algorithm)));
      secrets.copy(secret.expose_for_writing());
      parts.material.secret = std::move(secret);
    }
    parts.material.public_key = std::move(version.public_key);
    parts.material.in_token = version.form == SecretForm::kInToken;
    if (versions.empty()) parts.counter = counter;
    WVDS_ASSIGN(made, StoredVersion::make(shared_, entry.owner, fields.spec, std::move(parts)));
    versions.push_back(std::move(made));
  }
  WVDS_TRY(secrets.finish());
  entry.generation = fields.generation;
  entry.counter = counter;
  entry.counted_version = versions.front()->number();
  entry.limits = fields.spec.limits;
  entry.retired = versions.front()->state() == VersionState::kRetired;
  return std::make_shared<StoredKey>(shared_, fields.id, entry.owner, fields.spec, place_of(fields.spec),
                                     std::move(versions), std::move(fields.extensions));
}

}  // namespace wvds::keystore
