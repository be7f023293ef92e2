#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "base/result.h"
#include "crypto/aead.h"

namespace wvds::keystore {

// WindowBudget is the memory that all windows of the service may take together, and those of one principal.
// Thread-safe.
class WindowBudget {
 public:
  explicit WindowBudget(size_t limit_bytes) : limit_(limit_bytes) {}
  // take is all or nothing.
  bool take(size_t bytes);
  void give_back(size_t bytes);
  size_t used() const { return used_.load(); }

  // set_limit holds for what is taken from now on; nothing is taken away.
  void set_limit(size_t limit_bytes) { limit_ = limit_bytes; }

 private:
  std::atomic<size_t> limit_;
  std::atomic<size_t> used_{0};
};

// HashSeed keys the hash of one window. Random and secret, so that nobody can choose nonces that fall on the same
// place; a wrong guess of it costs time only, never correctness.
using HashSeed = std::array<uint64_t, 2>;

// NonceWindow remembers the last `capacity` nonces that one key version accepted, exactly: a repeat within them is
// always refused, and nothing else ever is. Grows lazily. Thread-safe.
class NonceWindow {
 public:
  // Budgets may be null (unlimited) and must outlive the window. Memory is taken as nonces come: about 20 bytes for
  // each, in steps that double. A window of capacity 0 remembers nothing.
  NonceWindow(uint32_t capacity, WindowBudget* of_service, WindowBudget* of_principal, HashSeed seed = {});
  ~NonceWindow();

  // accept checks and inserts in one atomic step; call it after the tag was right and before the plaintext is released.
  // kNonceReuse for a repeat, kLimitReached when the window would have to grow past a budget (the nonce is not
  // inserted: never forget silently).
  Result<> accept(const crypto::Nonce& nonce);

  uint32_t used() const;
  uint32_t capacity() const { return capacity_; }

 private:
  struct Table;
  Result<> grow();

  const uint32_t capacity_;
  WindowBudget* const of_service_;
  WindowBudget* const of_principal_;
  const HashSeed seed_;
  mutable std::mutex mutex_;
  std::unique_ptr<Table> table_;  // null until the first nonce
};

// nonce_hash is the window's keyed hash. Public for the test that looks for collisions.
uint64_t nonce_hash(const HashSeed& seed, const crypto::Nonce& nonce);

}  // namespace wvds::keystore
