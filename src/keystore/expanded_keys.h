#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "base/result.h"

namespace wvds::keystore {

// ExpandedKeys keeps the expanded forms of the keys used last: they take 2 to 41 KB each, most of it locked memory, and
// are made again from the seed when needed. Thread-safe.
class ExpandedKeys {
 public:
  enum class Form : uint8_t { kPrivate, kPublic };

  explicit ExpandedKeys(size_t capacity) : capacity_(capacity) {}

  // get returns what is kept for `version` in this form, or makes it by `make`, a function that returns
  // Result<std::unique_ptr<T>>. T is always the same for one version and form. Where the locked memory is used up
  // (kLimitReached) it lets go of the keys used longest ago until `make` succeeds. Two threads may make the same key at
  // once; both results are good.
  template <class T, class Make>
  Result<std::shared_ptr<const T>> get(const void* version, Form form, Make make) {
    if (auto kept = find(version, form)) return std::static_pointer_cast<const T>(kept);
    auto made = make();
    while (!made && made.error().status == Status::kLimitReached && drop_oldest()) made = make();
    if (!made) return forward_error(made);
    std::shared_ptr<const T> key = std::move(*made);
    put(version, form, key);
    return key;
  }

  // put keeps a key that was made elsewhere.
  void put(const void* version, Form form, std::shared_ptr<const void> key);

  // forget lets go of all forms of `version`.
  void forget(const void* version);

  // drop_oldest lets go of the key used longest ago; false when there is none.
  bool drop_oldest();

  size_t size() const;

 private:
  using Name = std::pair<const void*, Form>;
  using Entry = std::pair<Name, std::shared_ptr<const void>>;

  std::shared_ptr<const void> find(const void* version, Form form);

  const size_t capacity_;
  mutable std::mutex mutex_;
  std::list<Entry> by_use_;  // used last first
  std::map<Name, std::list<Entry>::iterator> by_name_;
};

}  // namespace wvds::keystore
