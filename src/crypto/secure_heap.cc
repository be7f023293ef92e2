#include "crypto/secure_heap.h"

#include <openssl/crypto.h>

#include <atomic>
#include <bit>
#include <mutex>
#include <string>

#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

constexpr size_t kSmallestBlock = 32;  // an AES key or a seed

std::mutex start_mutex;
std::atomic<size_t> heap_size{0};
std::atomic<bool> heap_locked{false};
std::atomic<bool> lock_required{false};
std::atomic<bool> ordinary_memory_used{false};

// What CRYPTO_secure_malloc_init answers
constexpr int kMade = 1;
constexpr int kMadeUnprotected = 2;  // could not be locked or left out of core dumps

bool try_locked(size_t bytes) {
  const int made = CRYPTO_secure_malloc_init(bytes, kSmallestBlock);
  if (made == kMade) return true;
  if (made == kMadeUnprotected) CRYPTO_secure_malloc_done();
  return false;
}

bool make_locked_heap(size_t bytes) {
  for (size_t size = bytes; size >= kMinSecureHeap; size /= 2) {
    if (!try_locked(size)) continue;
    heap_size = size;
    heap_locked = true;
    return true;
  }
  return false;
}

#ifdef OPENSSL_NO_SECURE_MEMORY
constexpr bool kHeapExists = false;  // OpenSSL was built without it: secrets are in ordinary memory, wiped when freed
#else
constexpr bool kHeapExists = true;
#endif

Result<> make_heap(size_t bytes, bool required) {
  if (!kHeapExists && required)
    return fail(Status::kLimitReached, "this OpenSSL has no secure heap that could be locked");
  if (!kHeapExists) return {};
  if (make_locked_heap(bytes)) return {};
  if (required)
    return fail(Status::kLimitReached, "no memory could be locked: raise RLIMIT_MEMLOCK (LimitMEMLOCK= in systemd)");
  if (CRYPTO_secure_malloc_init(bytes, kSmallestBlock) == 0) {
    return openssl_failure(Status::kInternalError, "the secure heap could not be made");
  }
  heap_size = bytes;
  return {};
}

}  // namespace

Result<> start_secure_heap(size_t bytes, bool required) {
  const std::scoped_lock lock(start_mutex);
  if (!std::has_single_bit(bytes) || bytes < kMinSecureHeap) {
    return fail(Status::kInvalidPayload,
                "the secure heap must be a power of two, at least " + std::to_string(kMinSecureHeap));
  }
  if (heap_size == 0) {
    if (CRYPTO_secure_malloc_initialized() != 0) {
      return fail(Status::kInternalError, "other code of this process made OpenSSL's secure heap before");
    }
    WVDS_TRY(make_heap(bytes, required));
  }
  if (required && !secure_heap_locked()) return fail(Status::kLimitReached, "secrets are in memory that is not locked");
  lock_required = lock_required || required;
  return {};
}

bool locked_memory_required() { return lock_required; }

bool secure_heap_locked() { return heap_locked && !ordinary_memory_used; }

size_t secure_heap_size() { return heap_size; }

size_t secure_heap_used() { return heap_size == 0 ? 0 : CRYPTO_secure_used(); }

bool secure_heap_has_room(size_t bytes) {
  const size_t size = heap_size;
  return size == 0 || secure_heap_used() + std::bit_ceil(bytes) + kSecureHeapReserve <= size;
}

void* allocate_secret(size_t bytes) {
  if (heap_size != 0 && secure_heap_has_room(bytes)) {
    if (void* memory = OPENSSL_secure_zalloc(bytes)) return memory;
    clear_openssl_errors();
  }
  if (lock_required) return nullptr;
  ordinary_memory_used = true;
  void* memory = OPENSSL_zalloc(bytes);
  if (memory == nullptr) clear_openssl_errors();
  return memory;
}

void release_secret(void* memory, size_t bytes) { OPENSSL_secure_clear_free(memory, bytes); }

}  // namespace wvds::crypto
