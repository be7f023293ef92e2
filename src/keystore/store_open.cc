#include <algorithm>
#include <new>
#include <set>
#include <utility>

#include "keystore/store.h"

namespace wvds::keystore {
namespace {

constexpr size_t kThreadStack = size_t{256} * 1024;

}  // namespace

Result<std::unique_ptr<KeyStore>> KeyStore::open(Medium& medium, Protector& protector, const crypto::Library& library,
                                                 const StoreConfig& config, std::vector<Principal> principals) {
  WVDS_ASSIGN(store, Store::open(medium, protector, library, config, std::move(principals), StoreOptions{}));
  return std::unique_ptr<KeyStore>(std::move(store));
}

Result<std::unique_ptr<Store>> Store::open(Medium& medium, Protector& protector, const crypto::Library& library,
                                           const StoreConfig& config, std::vector<Principal> principals,
                                           StoreOptions options) {
  if (config.use_limit == 0 || config.use_block == 0)
    return fail(Status::kInvalidArgument, "use_limit and use_block must be above 0");
  WVDS_ASSIGN(known, Principals::make(std::move(principals)));
  std::vector<std::string> warnings;
  WVDS_ASSIGN(files, StoreFiles::open(medium, protector, library, warnings));
  std::unique_ptr<Store> store(new Store(library, config, std::move(known), std::move(options), protector));
  auto index = files->read_index(warnings);
  if (!index && index.error().status == Status::kUnsupported) return forward_error(index);
  if (!index) {
    store->index_lost_ =
        index.error().detail +
        ": without an index no key can be made and no AES key of this store can encrypt; put it back from a backup";
    warnings.push_back(store->index_lost_);
  }
  WVDS_TRY(store->check_rollback(index));
  for (std::string& warning : warnings) store->warn(std::move(warning));
  {
    const std::lock_guard lock(store->changes_);
    store->files_ = std::move(files);
    store->adopt_index(index ? *index : IndexFields{});
    store->reserve_at_open();
  }
  WVDS_TRY(store->start_threads());
  return store;
}

// check_rollback refuses a store that is older than the rollback counter, or has no index to show its age.
Result<> Store::check_rollback(Result<IndexFields>& index) {
  const std::lock_guard lock(changes_);
  if (index) return rollback_.adopt(index->extensions);
  if (!rollback_.in_use()) return {};
  return fail(Status::kStorageError,
              index.error().detail +
                  ": with a rollback counter a store is not opened without an index; put it back "
                  "from a backup and run wvds store migrate --to tpm");
}

// adopt_index takes over what is listed and there, and reads the few records that are newer than the index.
void Store::adopt_index(const IndexFields& index) {
  index_generation_ = index.generation;
  index_extensions_ = index.extensions;
  audit_head_ = audit_head_of(index.extensions);
  stored_ids_.next = stored_ids_.reserved = std::max(kFirstStoredId, index.next_stored_id);
  memory_ids_.next = memory_ids_.reserved = std::max(kFirstMemoryId, index.next_memory_id);
  auto listed = index.keys.begin();
  for (const uint32_t id : files_->record_ids()) {
    while (listed != index.keys.end() && listed->id < id) ++listed;  // deleted since the index was written
    if (listed != index.keys.end() && listed->id == id) {
      adopt_listed(*listed);
    } else if (id < index.listed_below) {
      warn(record_name(id) + ": this key was deleted and its record put back; it is not used");
    } else {
      adopt_unlisted(id);
    }
  }
}

void Store::adopt_listed(const IndexedKey& listed) {
  Entry entry{};
  entry.owner = principals_.owner(listed.owner);
  entry.generation = listed.generation;
  entry.bytes = listed.record_bytes;
  entry.limits = listed.limits;
  entry.retired = listed.retired;
  if (!listed.versions.empty()) {
    const IndexedVersion& version = listed.versions.front();
    // What the algorithm allows is seen only in the record: counter_of puts that right.
    const uint64_t limit = entry.limits.max_uses != 0 ? entry.limits.max_uses : shared_->config.use_limit;
    entry.counted_version = version.number;
    entry.counter =
        std::make_shared<UseCounter>(version.uses, version.uses, limit, bell_, largest_block_of(entry.limits));
  }
  entry.owner->adopt(entry.holding());
  insert(listed.id, std::move(entry));
}

// adopt_unlisted learns a key's owner from its record. Of one that can't be read nobody is known to be the owner, so
// nobody can reach it; the index goes on saying that it is new, so that it is read again at the next start.
void Store::adopt_unlisted(uint32_t id) {
  if (auto adopted = adopt_record(id); !adopted) {
    first_unknown_id_ = std::min(first_unknown_id_, id);
    warn(adopted.error().detail);
  }
}

Result<> Store::adopt_record(uint32_t id) {
  WVDS_ASSIGN(blob, files_->read_record_blob(id));
  WVDS_ASSIGN(record, files_->open_record(id, blob));
  Entry entry{};
  entry.owner = principals_.owner(record.fields.owner);
  entry.bytes = record.bytes;
  WVDS_ASSIGN(key, build_key(std::move(record), entry));
  entry.key = std::move(key);
  entry.owner->adopt(entry.holding());
  insert(id, std::move(entry));
  return {};
}

// One durable write reserves uses for all keys and ids for new ones. Where the disk takes none, everything that needs
// no reservation still works; write_index has logged it and warnings() tell.
void Store::reserve_at_open() {
  if (index_lost_.empty()) static_cast<void>(write_index(false).has_value());
}

Result<> Store::start_threads() {
  if (!options_.background) return {};
  WVDS_TRY(pool_.start(options_.pool_quiet));
  if (!index_lost_.empty()) return {};
  bell_->serve();
  WVDS_ASSIGN(thread, platform::Thread::start("key store", kThreadStack, [this] {
                while (bell_->wait_for_work(options_.write_delay)) bell_->tried(try_refill());
              }));
  thread_ = std::move(thread);
  return {};
}

// Where memory runs out, nothing was reserved, and the thread tries again.
bool Store::try_refill() try { return refill().has_value(); } catch (const std::bad_alloc&) {
  return false;
}

}  // namespace wvds::keystore
