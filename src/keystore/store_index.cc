#include <algorithm>

#include "base/log.h"
#include "keystore/store.h"

// Reservations and the index that makes them durable.
namespace wvds::keystore {
namespace {

std::unexpected<Error> no_ids(Lifetime lifetime) {
  return fail(Status::kLimitReached, std::string("the store has no ids left for ") + lifetime_name(lifetime) + " keys");
}

}  // namespace

// index_fields says what the next index says: `exact` what was used, otherwise also what is reserved by it.
IndexFields Store::index_fields(bool exact) {
  const platform::TimePoint now = options_.now();
  IndexFields index{.generation = index_generation_ + 1,
                    .next_stored_id = exact ? stored_ids_.next : stored_ids_.next_reservation(options_.stored_id_block),
                    .next_memory_id = 0,
                    .listed_below = std::min(stored_ids_.next, first_unknown_id_),
                    .keys = {},
                    .extensions = index_extensions_};
  {
    const std::lock_guard lock(memory_id_lock_);
    index.next_memory_id = exact ? memory_ids_.next : memory_ids_.next_reservation(options_.memory_id_block);
  }
  if (const AuditHead head = audit_head(); head.number != 0) set_audit_head(index.extensions, head);
  const std::shared_lock lock(table_);
  for (const auto& [id, entry] : entries_) {
    if (entry.lifetime != Lifetime::kPersistent) break;  // their ids come first
    index.keys.push_back({.id = id,
                          .generation = entry.generation,
                          .record_bytes = entry.bytes,
                          .owner = entry.owner->name(),
                          .versions = {},
                          .limits = entry.limits,
                          .retired = entry.retired && entry.limits.any()});
    UseCounter* const counter = entry.counter.get();
    if (counter == nullptr) continue;
    uint64_t uses = exact ? counter->used() : counter->granted();
    if (!exact && counter->wants_more()) uses = counter->next_grant(usual_block(), now);
    index.keys.back().versions.push_back({entry.counted_version, uses});
  }
  return index;
}

Result<> Store::write_index(bool exact) {
  if (!index_lost_.empty()) return fail(Status::kStorageError, index_lost_);
  IndexFields index = index_fields(exact);
  rollback_.mark(index.extensions, options_.now(), exact);
  auto written = files_->write_index(index);
  const std::string failure = written ? std::string() : written.error().detail;
  {
    const std::lock_guard lock(warnings_lock_);
    if (failure != reservation_failure_ && !failure.empty())
      log_error("uses and ids can't be reserved", {{"cause", failure}});
    reservation_failure_ = failure;
  }
  if (!written) return written;
  index_generation_ = index.generation;
  if (!exact) publish_reservations(index);
  advance_rollback();
  log_nearly_used_up();
  return {};
}

// advance_rollback comes after everything that somebody may wait for: the counter's device is slow, and may be gone.
void Store::advance_rollback() {
  rollback_.written(options_.now());
  if (rollback_.owes_mark()) bell_->note_change();
  const std::lock_guard lock(warnings_lock_);
  rollback_failure_ = rollback_.failure();
}

void Store::note_key_change() {
  rollback_.note_change();
  bell_->note_change();
}

// publish_reservations makes usable what is durable now.
void Store::publish_reservations(const IndexFields& index) {
  stored_ids_.reserved = index.next_stored_id;
  {
    const std::lock_guard lock(memory_id_lock_);
    memory_ids_.reserved = index.next_memory_id;
  }
  const std::shared_lock lock(table_);
  for (const IndexedKey& key : index.keys) {
    const Entry& entry = entries_.at(key.id);
    for (const IndexedVersion& version : key.versions) entry.counter->grant(version.uses);
  }
}

void Store::keep_audit_head(const AuditHead& head) {
  {
    const std::lock_guard lock(audit_lock_);
    audit_head_ = head;
  }
  bell_->note_change();
}

AuditHead Store::audit_head() const {
  const std::lock_guard lock(audit_lock_);
  return audit_head_;
}

void Store::log_nearly_used_up() {
  const std::shared_lock lock(table_);
  for (const auto& [id, entry] : entries_) {
    if (entry.counter == nullptr || !entry.counter->first_warning()) continue;
    log_warning("a key is nearly used up: rotate it", {{"key", id},
                                                       {"version", entry.counted_version},
                                                       {"used", entry.counter->used()},
                                                       {"limit", entry.counter->limit()}});
  }
}

Result<uint32_t> Store::take_stored_id() {
  if (!index_lost_.empty()) return fail(Status::kStorageError, index_lost_);
  auto id = stored_ids_.take();
  if (!id && stored_ids_.reserved < stored_ids_.end) {
    WVDS_TRY(write_index(false));
    id = stored_ids_.take();
  }
  if (!id) return no_ids(Lifetime::kPersistent);
  return *id;
}

// Ids of keys in memory run out only when their reservation failed, or under a flood that the limits per principal hold
// back.
Result<uint32_t> Store::take_memory_id() {
  for (int attempt = 0; attempt < 2; ++attempt) {
    {
      const std::lock_guard lock(memory_id_lock_);
      const auto id = memory_ids_.take();
      if (id && memory_ids_.runs_low(options_.memory_id_block)) bell_->note_change();
      if (id) return *id;
      if (memory_ids_.reserved == memory_ids_.end) break;
    }
    const std::lock_guard lock(changes_);
    WVDS_TRY(write_index(false));
  }
  return no_ids(Lifetime::kVolatile);
}

Result<> Store::refill() {
  const std::lock_guard lock(changes_);
  return write_index(false);
}

}  // namespace wvds::keystore
