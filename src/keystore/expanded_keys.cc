#include "keystore/expanded_keys.h"

namespace wvds::keystore {

std::shared_ptr<const void> ExpandedKeys::find(const void* version, Form form) {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find({version, form});
  if (found == by_name_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, found->second);
  return found->second->second;
}

// Keys are destroyed outside the lock: wiping takes its time.
void ExpandedKeys::put(const void* version, Form form, std::shared_ptr<const void> key) {
  if (capacity_ == 0) return;
  std::shared_ptr<const void> released;
  const std::lock_guard lock(mutex_);
  const Name name{version, form};
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    released = std::exchange(found->second->second, std::move(key));
    return;
  }
  by_use_.emplace_front(name, std::move(key));
  by_name_[name] = by_use_.begin();
  if (by_use_.size() <= capacity_) return;
  released = std::move(by_use_.back().second);
  by_name_.erase(by_use_.back().first);
  by_use_.pop_back();
}

void ExpandedKeys::forget(const void* version) {
  std::shared_ptr<const void> released[2];
  const std::lock_guard lock(mutex_);
  for (const Form form : {Form::kPrivate, Form::kPublic}) {
    const auto found = by_name_.find({version, form});
    if (found == by_name_.end()) continue;
    released[static_cast<size_t>(form)] = std::move(found->second->second);
    by_use_.erase(found->second);
    by_name_.erase(found);
  }
}

bool ExpandedKeys::drop_oldest() {
  std::shared_ptr<const void> released;
  const std::lock_guard lock(mutex_);
  if (by_use_.empty()) return false;
  released = std::move(by_use_.back().second);
  by_name_.erase(by_use_.back().first);
  by_use_.pop_back();
  return true;
}

size_t ExpandedKeys::size() const {
  const std::lock_guard lock(mutex_);
  return by_use_.size();
}

}  // namespace wvds::keystore
