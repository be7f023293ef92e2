#include <algorithm>

#include "keystore/store.h"

// The store in numbers.
namespace wvds::keystore {
namespace {

// How many keys are looked at while others can't change the table.
constexpr size_t kKeysInARow = 1024;

size_t level_of(uint64_t uses, uint64_t limit) {
  if (uses >= limit) return 4;
  const uint64_t percent = uses * 100 / limit;  // a limit has at most 49 bits
  return static_cast<size_t>(percent >= 50) + static_cast<size_t>(percent >= 75) + static_cast<size_t>(percent >= 90);
}

bool is_fuller(const KeyUse& a, const KeyUse& b) {
  const auto share = [](const KeyUse& use) {
    return static_cast<double>(use.uses) / static_cast<double>(use.use_limit);
  };
  return share(a) > share(b);
}

void tally_use(const KeyUse& use, StoreMetrics& out) {
  ++out.use_levels[level_of(use.uses, use.use_limit)];
  if (use.uses == 0) return;
  const auto place = std::ranges::upper_bound(out.most_used, use, is_fuller);
  if (static_cast<size_t>(place - out.most_used.begin()) >= StoreMetrics::kMostUsed) return;
  out.most_used.insert(place, use);
  if (out.most_used.size() > StoreMetrics::kMostUsed) out.most_used.pop_back();
}

}  // namespace

// A stored key's counter is there before its record was read. That of a retired key is closed.
void Store::tally(uint32_t id, const Entry& entry, StoreMetrics& out) {
  switch (entry.lifetime) {
    case Lifetime::kSession: ++out.session_keys; break;
    case Lifetime::kVolatile: ++out.volatile_keys; break;
    default: ++out.persistent_keys;
  }
  if (!entry.damage.empty()) ++out.damaged_keys;
  if (entry.counter != nullptr) {
    const UseCounter& counter = *entry.counter;
    if (!counter.closed()) tally_use({id, entry.counted_version, counter.used(), counter.limit()}, out);
    return;
  }
  if (entry.key == nullptr || entry.lifetime == Lifetime::kPersistent) return;
  const auto active = entry.key->active();
  if (!active || (*active)->use_limit() == 0) return;
  tally_use({id, (*active)->number(), (*active)->uses(), (*active)->use_limit()}, out);
}

StoreMetrics Store::metrics() const {
  StoreMetrics out;
  out.window_bytes = shared_->windows.used();
  out.window_bytes_limit = shared_->config.window_bytes;
  {
    const std::lock_guard lock(warnings_lock_);
    out.reservations_fail = !reservation_failure_.empty() || !index_lost_.empty();
  }
  uint32_t next = 0;
  for (bool more = true; more;) {
    const std::shared_lock lock(table_);
    auto entry = entries_.lower_bound(next);
    for (size_t i = 0; i < kKeysInARow && entry != entries_.end(); ++i, ++entry)
      tally(entry->first, entry->second, out);
    more = entry != entries_.end();
    if (more) next = entry->first;
  }
  return out;
}

}  // namespace wvds::keystore
