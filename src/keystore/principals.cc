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

Usages PrincipalState::granted(uint32_t key_id) const {
  Usages usages = 0;
  for (const Grant& grant : principal_.grants) {
    if (grant.key_id == key_id) usages |= grant.usages;
  }
  return usages;
}

Result<> PrincipalState::take_from_rate(platform::TimePoint now) {
  const std::lock_guard lock(mutex_);
  const double most = principal_.limits.keys_per_minute;
  const double passed = std::chrono::duration<double>(now - last_tokens_).count();
  const bool is_first = last_tokens_ == platform::TimePoint{};
  tokens_ = is_first ? most : std::min(most, tokens_ + passed * most / 60);
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

std::shared_ptr<PrincipalState> Principals::find(std::string_view name) const {
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
