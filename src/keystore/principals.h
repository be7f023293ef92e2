#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>

#include "keystore/key_store.h"
#include "platform/clock.h"

namespace wvds::keystore {

// Holding is what one key weighs against its owner's limits.
struct Holding {
  Lifetime lifetime = Lifetime::kSession;
  uint64_t store_bytes = 0;
};

// PrincipalState is a principal of the configuration, or the owner of stored keys that the configuration no longer
// names. Thread-safe but for `ids`.
class PrincipalState {
 public:
  PrincipalState(Principal principal, bool configured)
      : configured(configured), window_budget(principal.limits.window_bytes), principal_(std::move(principal)) {}

  const std::string& name() const { return principal_.name; }

  // granted is the usages of a key that others own.
  Usages granted(uint32_t key_id) const;
  std::vector<Grant> grants() const;

  // reconfigure puts another configuration's limits and grants in force, or leaves an owner that nobody can act as.
  void reconfigure(const Principal& principal);
  void retire() { configured = false; }

  // take_from_rate takes one key out of those this principal may make now: kLimitReached when there is none. A full
  // minute's keys may be made at once.
  Result<> take_from_rate(platform::TimePoint now);

  // holdings is what the principal has at `now`.
  Holdings holdings(platform::TimePoint now);

  // admit makes room for a new key, or says which limit stands against it: kLimitReached. release undoes it.
  Result<> admit(const Holding& key);
  void release(const Holding& key);

  // resize changes a stored key's size; refuses only growth over the limit. undo_resize takes it back, whatever the
  // limits say.
  Result<> resize(uint64_t from, uint64_t to);
  void undo_resize(uint64_t from, uint64_t to);

  // adopt counts a key that is there, whatever the limits say: they may have been lowered. adopt_size puts its size
  // right.
  void adopt(const Holding& key);
  void adopt_size(uint64_t from, uint64_t to);

  std::atomic<bool> configured;
  WindowBudget window_budget;
  std::set<uint32_t> ids;  // of the keys it owns; guarded by the store's table lock

 private:
  double tokens_at(platform::TimePoint now) const;
  uint32_t& count_of(Lifetime lifetime) { return counts_[static_cast<size_t>(lifetime)]; }
  uint32_t limit_of(Lifetime lifetime) const;

  Principal principal_;  // its name never changes; the rest is guarded by mutex_
  mutable std::mutex mutex_;
  std::array<uint32_t, 4> counts_{};
  uint64_t store_bytes_ = 0;
  double tokens_ = 0;
  platform::TimePoint last_tokens_{};
};

// Principals knows all of them by name. Thread-safe.
class Principals {
 public:
  // make refuses names that are improper or doubled: kInvalidArgument.
  static Result<Principals> make(std::vector<Principal> configured);

  // reconfigure makes `configured` the ones that find() returns. On failure, as make's, nothing changed.
  Result<> reconfigure(std::vector<Principal> configured);

  // find returns null for a name that the configuration does not have.
  std::shared_ptr<PrincipalState> find(std::string_view name) const;

  // owner returns the state of a stored key's owner, and makes one where the configuration does not name it. For the
  // time of opening only.
  std::shared_ptr<PrincipalState> owner(const std::string& name);

 private:
  // A pointer, so that the whole can be moved before it is used.
  std::unique_ptr<std::shared_mutex> mutex_ = std::make_unique<std::shared_mutex>();
  std::map<std::string, std::shared_ptr<PrincipalState>, std::less<>> by_name_;
};

}  // namespace wvds::keystore
