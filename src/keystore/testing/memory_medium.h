#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>

#include "keystore/medium.h"

namespace wvds::keystore::testing {

// MemoryMedium keeps blobs in a map that tests look into and change while no store is working on it. `failing` makes
// every change fail, `unreadable` every read.
class MemoryMedium : public Medium {
 public:
  using Blobs = std::map<std::string, std::vector<std::byte>, std::less<>>;

  Result<std::vector<std::string>> list() override {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> names;
    for (const auto& [name, blob] : blobs) names.push_back(name);
    return names;
  }

  Result<std::vector<std::byte>> read(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    ++reads;
    if (unreadable) return fail(Status::kStorageError, "made to fail");
    const auto found = blobs.find(name);
    if (found == blobs.end()) return fail(Status::kKeyNotFound, "no such blob");
    return found->second;
  }

  Result<> replace(std::string_view name, Bytes content) override {
    const std::lock_guard lock(mutex_);
    if (failing) return fail(Status::kStorageError, std::string(name) + ": made to fail");
    ++changes;
    blobs[std::string(name)].assign(content.begin(), content.end());
    return {};
  }

  Result<> remove(std::string_view name) override {
    const std::lock_guard lock(mutex_);
    if (failing) return fail(Status::kStorageError, std::string(name) + ": made to fail");
    ++changes;
    blobs.erase(std::string(name));
    return {};
  }

  // snapshot may be taken while a store works.
  Blobs snapshot() {
    const std::lock_guard lock(mutex_);
    return blobs;
  }

  Blobs blobs;
  std::atomic<bool> failing = false;
  std::atomic<bool> unreadable = false;
  std::atomic<size_t> reads = 0;
  std::atomic<size_t> changes = 0;

 private:
  std::mutex mutex_;
};

}  // namespace wvds::keystore::testing
