#pragma once

#include <atomic>
#include <vector>

#include "keystore/protector.h"

namespace wvds::keystore::testing {

// FakeCounter is a RollbackCounter whose value lies in the test. `failing` makes it unreachable; `advances` counts what
// wears a real one out.
struct FakeCounter : RollbackCounter {
  RollbackBinding binding() const override { return bound; }
  uint64_t first() const override { return first_value; }
  Result<uint64_t> read() override {
    if (failing) return fail(Status::kStorageError, "the counter was made to fail");
    return value.load();
  }
  Result<> advance_to(uint64_t wanted) override {
    if (failing) return fail(Status::kStorageError, "the counter was made to fail");
    if (wanted != value && wanted != value + 1) return fail(Status::kStorageError, "an advance out of step");
    if (wanted != value) ++advances;
    value = wanted;
    return {};
  }

  RollbackBinding bound{std::byte{1}};
  uint64_t first_value = 0;
  std::atomic<uint64_t> value = 0;
  std::atomic<size_t> advances = 0;
  std::atomic<bool> failing = false;
};

// CountingProtector is another protector with a counter beside it.
class CountingProtector : public Protector {
 public:
  CountingProtector(std::unique_ptr<Protector> inner, FakeCounter& counter)
      : inner_(std::move(inner)), counter_(counter) {}

  Place place() const override { return inner_->place(); }
  Result<crypto::LockedBytes> create(const crypto::Library& library, std::vector<std::byte>& header) override {
    return inner_->create(library, header);
  }
  Result<crypto::LockedBytes> unlock(const crypto::Library& library, Bytes header) override {
    return inner_->unlock(library, header);
  }
  RollbackCounter* rollback_counter() override { return &counter_; }

 private:
  std::unique_ptr<Protector> inner_;
  FakeCounter& counter_;
};

}  // namespace wvds::keystore::testing
