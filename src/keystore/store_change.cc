#include <algorithm>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "keystore/store.h"

// Changes of keys that are there: always on the medium first, then in memory.
namespace wvds::keystore {
namespace {

Result<> check_rotatable(const StoredKey& key, const StoredVersions& versions) {
  if (key.deleted()) return fail(Status::kKeyNotFound);
  if (versions.front()->form() == SecretForm::kPublicOnly)
    return fail(Status::kWrongKeyUsage, "a public key can't be rotated");
  // Not versions.front(): before the change lock is taken, another rotation may supersede it at any moment.
  WVDS_TRY(key.active());
  WVDS_TRY(key.check_end());
  if (versions.size() >= kMaxVersions) {
    return fail(Status::kLimitReached, "the key has all the retired versions it may have: delete one first");
  }
  return {};
}

// A retired version's uses are an upper bound for good: it was granted no more than that.
RecordVersion record_version(const StoredVersion& version, VersionState state) {
  const bool active = state == VersionState::kActive;
  const auto& counter = version.counter();
  RecordVersion out{
      .number = version.number(), .state = state, .form = version.form(), .uses = version.uses(), .public_key = {}};
  if (counter != nullptr) out.uses = active || !counter->closed() ? counter->granted() : counter->used();
  out.public_key.assign(version.public_key().begin(), version.public_key().end());
  return out;
}

RecordFields record_fields(const StoredKey& key, const StoredVersions& versions, VersionState newest,
                           uint32_t generation) {
  RecordFields record{.id = key.id(),
                      .generation = generation,
                      .spec = key.spec(),
                      .owner = key.owner(),
                      .versions = {},
                      .extensions = key.extensions()};
  for (const auto& version : versions) {
    record.versions.push_back(record_version(*version, version == versions.front() ? newest : VersionState::kRetired));
  }
  return record;
}

Result<crypto::LockedBytes> joined_secrets(const StoredVersions& versions) {
  size_t size = 0;
  for (const auto& version : versions) size += version->secret().size();
  WVDS_ASSIGN(joined, crypto::LockedBytes::of_size(size));
  Writer writer(joined.expose_for_writing());
  for (const auto& version : versions) writer.bytes(version->secret());
  WVDS_TRY(writer.finish());
  return joined;
}

}  // namespace

Result<Store::OwnedKey> Store::find_owned(std::string_view principal, SessionId session, uint32_t id) {
  WVDS_ASSIGN(owner, configured(principal));
  WVDS_ASSIGN(found, find(principal, session, id));
  if (!found.owned) return fail(Status::kDenied, "only the owner may change a key");
  return OwnedKey{owner, std::static_pointer_cast<StoredKey>(found.key)};
}

// write_versions makes `versions` the durable state of a persistent key; nothing to do for others.
Result<> Store::write_versions(const OwnedKey& owned, const StoredVersions& versions, VersionState newest) {
  if (owned.key->spec().lifetime != Lifetime::kPersistent) return {};
  uint32_t generation = 0, bytes_before = 0;
  {
    const std::shared_lock lock(table_);
    const auto entry = entries_.find(owned.key->id());
    if (entry == entries_.end()) return fail(Status::kKeyNotFound);
    generation = entry->second.generation + 1;
    bytes_before = entry->second.bytes;
  }
  const RecordFields record = record_fields(*owned.key, versions, newest, generation);
  WVDS_ASSIGN(secrets, joined_secrets(versions));
  const auto bytes = static_cast<uint32_t>(blob_size(record.encode().size(), secrets.size()));
  WVDS_TRY(owned.owner->resize(bytes_before, bytes));
  if (auto written = files_->write_record(record, secrets.expose()); !written) {
    owned.owner->undo_resize(bytes_before, bytes);
    return written;
  }
  const std::unique_lock lock(table_);
  Entry& entry = entries_.at(owned.key->id());
  entry.generation = generation;
  entry.bytes = bytes;
  note_key_change();
  return {};
}

// set_counter makes the index count the key's newest version, if that is one to count.
void Store::set_counter(const StoredKey& key) {
  const auto newest = key.stored_versions().front();
  const std::unique_lock lock(table_);
  const auto entry = entries_.find(key.id());
  if (entry == entries_.end() || entry->second.lifetime != Lifetime::kPersistent) return;
  entry->second.counted_version = newest->number();
  entry->second.counter = version_is_counted(key.spec(), newest->state()) ? newest->counter() : nullptr;
  entry->second.retired = newest->state() == VersionState::kRetired;
}

Result<VersionRef> Store::rotate(std::string_view principal, SessionId session, uint32_t id) {
  WVDS_ASSIGN(owned, find_owned(principal, session, id));
  const KeySpec& spec = owned.key->spec();
  WVDS_TRY(check_rotatable(*owned.key, owned.key->stored_versions()));
  WVDS_TRY(owned.owner->take_from_rate(options_.now()));
  WVDS_ASSIGN(material, material_of(spec));
  if (!spec.inside_token) return add_version(owned, std::move(material));
  const Bytes secret = material.secret.expose();
  const std::vector<std::byte> token_key_id(secret.begin(), secret.end());
  auto version = add_version(owned, std::move(material));
  if (!version) give_up(token_key_id);
  return version;
}

Result<VersionRef> Store::add_version(const OwnedKey& owned, Material material) {
  const KeySpec& spec = owned.key->spec();
  const std::lock_guard lock(change_lock(*owned.key));
  StoredVersions versions = owned.key->stored_versions();
  WVDS_TRY(check_rotatable(*owned.key, versions));
  WVDS_ASSIGN(version, new_version(owned.owner, spec, versions.front()->number() + 1, std::move(material)));
  versions.insert(versions.begin(), version);
  WVDS_TRY(write_versions(owned, versions, VersionState::kActive));
  owned.key->set_versions(std::move(versions));
  set_counter(*owned.key);
  return version;
}

Result<> Store::retire(std::string_view principal, SessionId session, uint32_t id) {
  WVDS_ASSIGN(owned, find_owned(principal, session, id));
  const std::lock_guard lock(change_lock(*owned.key));
  if (owned.key->deleted()) return fail(Status::kKeyNotFound);
  WVDS_TRY(write_versions(owned, owned.key->stored_versions(), VersionState::kRetired));
  owned.key->retire();
  set_counter(*owned.key);
  return {};
}

// A whole key can be removed without being read: its owner may get rid of a damaged one.
Result<> Store::remove(std::string_view principal, SessionId session, uint32_t id, uint32_t version) {
  if (version == 0) {
    const std::lock_guard lock(id < kFirstMemoryId ? changes_ : memory_changes_);
    return remove_key(principal, session, id);
  }
  WVDS_ASSIGN(owned, find_owned(principal, session, id));
  const std::lock_guard lock(change_lock(*owned.key));
  const StoredVersions versions = owned.key->stored_versions();
  if (versions.size() > 1) return remove_version(owned, version);
  if (versions.front()->number() != version) return fail(Status::kKeyNotFound);
  return remove_key(principal, session, id);
}

// A key in the token is destroyed there before its record goes. Between the two the key can do nothing any more, and
// whoever asked for the deletion, which was not acknowledged, can ask again. The other way round a key would stay in
// the token that nothing refers to, and nobody would know that the deletion is not final.
Result<> Store::destroy_in_token(const StoredVersion& version) {
  if (version.form() != SecretForm::kInToken) return {};
  if (shared_->token_keys == nullptr)
    return fail(Status::kUnsupported,
                "the key is inside a token, and the store's protector has none: use protector hsm");
  return shared_->token_keys->destroy(version.secret());
}

// Of a record that can't be read nobody knows whether it is of a key in the token.
Result<> Store::destroy_in_token(uint32_t id) {
  const auto key = load(id);
  if (!key) {
    if (shared_->token_keys != nullptr)
      log_warning("a key is deleted whose record can't be read; if it was inside the token it is there still",
                  {{"key", id}, {"cause", key.error().detail}});
    return {};
  }
  for (const auto& version : (*key)->stored_versions()) WVDS_TRY(destroy_in_token(*version));
  return {};
}

Result<> Store::remove_version(const OwnedKey& owned, uint32_t number) {
  if (owned.key->deleted()) return fail(Status::kKeyNotFound);
  StoredVersions versions = owned.key->stored_versions();
  const auto found = std::ranges::find(versions, number, &StoredVersion::number);
  if (found == versions.end()) return fail(Status::kKeyNotFound);
  if ((*found)->state() == VersionState::kActive) {
    return fail(Status::kWrongKeyUsage, "the active version can't be deleted alone: rotate or retire the key first");
  }
  WVDS_TRY(destroy_in_token(**found));
  versions.erase(found);
  WVDS_TRY(write_versions(owned, versions, versions.front()->state()));
  owned.key->set_versions(std::move(versions));
  return {};
}

Result<> Store::remove_key(std::string_view principal, SessionId session, uint32_t id) {
  WVDS_ASSIGN(owner, configured(principal));
  {
    const std::shared_lock lock(table_);
    const auto entry = entries_.find(id);
    const Access found = entry == entries_.end() ? Access::kNone : access(*owner, session, id, entry->second);
    if (found == Access::kNone) return fail(Status::kKeyNotFound);
    if (found != Access::kOwned) return fail(Status::kDenied, "only the owner may delete a key");
  }
  const bool stored = id < kFirstMemoryId;
  if (stored) WVDS_TRY(destroy_in_token(id));
  if (stored) WVDS_TRY(files_->remove_record(id));
  std::shared_ptr<StoredKey> key;
  {
    const std::unique_lock lock(table_);
    key = erase(id);
  }
  if (key != nullptr) key->mark_deleted();
  if (stored) note_key_change();
  return {};
}

}  // namespace wvds::keystore
