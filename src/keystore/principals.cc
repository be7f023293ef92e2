#include "keystore/principals.h"

#include <algorithm>

#include "keystore/format.h"

namespace wvds::keystore {
namespace {

const char* limit_name(Lifetime lifetime) {
  switch (lifetime) {
    case Lifetime::kSession: return "session_keys";
    case Lifetime::kVolatile: return "volatile_keys";
    default: return "persistent_keys";
  }
}

std::unexpected<Error> over(const char* limit) {
  return fail(Status::kLimitReached, std::string("the principal's limit ") + limit + " is reached");
}

}  // namespace

std::vector<Grant> PrincipalState::grants() const {
  const std::lock_guard lock(mutex_);
  return principal_.grants;
}

void PrincipalState::reconfigure(const Principal& principal) {
  const std::lock_guard lock(mutex_);
  principal_.limits = principal.limits;
  principal_.grants = principal.grants;
  window_budget.set_limit(principal.limits.window_bytes);
  configured = true;
}

Usages PrincipalState::granted(uint32_t key_id) const {
  const std::lock_guard lock(mutex_);
  Usages usages = 0;
  for (const Grant& grant : principal_.grants) {
    if (grant.key_id == key_id) usages |= grant.usages;
  }
  return usages;
}

double PrincipalState::tokens_at(platform::TimePoint now) const {
  const double most = principal_.limits.keys_per_minute;
  const double passed = std::chrono::duration<double>(now - last_tokens_).count();
  const bool is_first = last_tokens_ == platform::TimePoint{};
  return is_first ? most : std::min(most, tokens_ + passed * most / 60);
}

Holdings PrincipalState::holdings(platform::TimePoint now) {
  const std::lock_guard lock(mutex_);
  Holdings held;
  held.persistent_keys = count_of(Lifetime::kPersistent);
  held.volatile_keys = count_of(Lifetime::kVolatile);
  held.session_keys = count_of(Lifetime::kSession);
  held.keys_of_minute = principal_.limits.keys_per_minute - static_cast<uint32_t>(tokens_at(now));
  held.store_bytes = store_bytes_;
  held.window_bytes = window_budget.used();
  return held;
}

Result<> PrincipalState::take_from_rate(platform::TimePoint now) {
  const std::lock_guard lock(mutex_);
  tokens_ = tokens_at(now);
  last_tokens_ = now;
  if (tokens_ < 1) return over("keys_per_minute");
  tokens_ -= 1;
  return {};
}

uint32_t PrincipalState::limit_of(Lifetime lifetime) const {
  switch (lifetime) {
    case Lifetime::kSession: return principal_.limits.session_keys;
    case Lifetime::kVolatile: return principal_.limits.volatile_keys;
    default: return principal_.limits.persistent_keys;
  }
}

Result<> PrincipalState::admit(const Holding& key) {
  const std::lock_guard lock(mutex_);
  if (count_of(key.lifetime) >= limit_of(key.lifetime)) return over(limit_name(key.lifetime));
  if (key.store_bytes > 0 && store_bytes_ + key.store_bytes > principal_.limits.store_bytes) return over("store_bytes");
  ++count_of(key.lifetime);
  store_bytes_ += key.store_bytes;
  return {};
}

void PrincipalState::release(const Holding& key) {
  const std::lock_guard lock(mutex_);
  --count_of(key.lifetime);
  store_bytes_ -= key.store_bytes;
}

Result<> PrincipalState::resize(uint64_t from, uint64_t to) {
  const std::lock_guard lock(mutex_);
  const uint64_t after = store_bytes_ - from + to;
  if (to > from && after > principal_.limits.store_bytes) return over("store_bytes");
  store_bytes_ = after;
  return {};
}

void PrincipalState::undo_resize(uint64_t from, uint64_t to) {
  const std::lock_guard lock(mutex_);
  store_bytes_ = store_bytes_ - to + from;
}

void PrincipalState::adopt(const Holding& key) {
  const std::lock_guard lock(mutex_);
  ++count_of(key.lifetime);
  store_bytes_ += key.store_bytes;
}

void PrincipalState::adopt_size(uint64_t from, uint64_t to) {
  const std::lock_guard lock(mutex_);
  store_bytes_ = store_bytes_ - from + to;
}

Result<Principals> Principals::make(std::vector<Principal> configured) {
  Principals out;
  for (Principal& principal : configured) {
    const std::string name = principal.name;
    if (!is_owner_name(name))
      return fail(Status::kInvalidArgument, "\"" + name + "\" is no proper name of a principal");
    if (!out.by_name_.emplace(name, std::make_shared<PrincipalState>(std::move(principal), true)).second) {
      return fail(Status::kInvalidArgument, "the principal \"" + name + "\" is there twice");
    }
  }
  return out;
}

// The new ones are looked at as a whole before the first of them holds.
Result<> Principals::reconfigure(std::vector<Principal> configured) {
  WVDS_TRY(make(configured));
  const std::unique_lock lock(*mutex_);
  for (const auto& [name, state] : by_name_) {
    if (std::ranges::find(configured, name, &Principal::name) == configured.end()) state->retire();
  }
  for (Principal& principal : configured) {
    const auto known = by_name_.find(principal.name);
    if (known != by_name_.end()) {
      known->second->reconfigure(principal);
    } else {
      std::string name = principal.name;
      by_name_.emplace(std::move(name), std::make_shared<PrincipalState>(std::move(principal), true));
    }
  }
  return {};
}

std::shared_ptr<PrincipalState> Principals::find(std::string_view name) const {
  const std::shared_lock lock(*mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() || !found->second->configured ? nullptr : found->second;
}

std::shared_ptr<PrincipalState> Principals::owner(const std::string& name) {
  auto& state = by_name_[name];
  if (state == nullptr)
    state = std::make_shared<PrincipalState>(Principal{.name = name, .limits = {}, .grants = {}}, false);
  return state;
}

}  // namespace wvds::keystore
