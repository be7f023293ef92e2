#pragma once

#include <cstddef>

#include "base/result.h"

// The process's locked memory for secrets: OpenSSL's secure heap, of which there is one. OpenSSL keeps expanded private
// keys and the entropy it seeds its generators with in the same heap, so what the product puts there leaves a reserve.
// Thread-safe.
namespace wvds::crypto {

inline constexpr size_t kMinSecureHeap = 128 << 10;
inline constexpr size_t kSecureHeapReserve =
    32 << 10;  // left to OpenSSL: an entropy pool that finds no room stops the generator

// start_secure_heap makes the heap once a process; later calls keep the first one. Where `bytes` can't be locked it
// tries half of that and so on down to kMinSecureHeap; where none can, the heap has `bytes` and is not locked. With
// `required` that is kLimitReached, and from then on a full heap is an error instead of ordinary memory.
// kInvalidPayload when `bytes` is no power of two or under kMinSecureHeap.
Result<> start_secure_heap(size_t bytes, bool required);

// locked_memory_required tells whether it was ever started with `required`.
bool locked_memory_required();

// secure_heap_locked tells whether every secret so far is in locked memory.
bool secure_heap_locked();
size_t secure_heap_size();
size_t secure_heap_used();

// secure_heap_has_room tells whether a block of `bytes` fits and leaves the reserve. Always true where there is no
// heap.
bool secure_heap_has_room(size_t bytes);

// allocate_secret returns `bytes` zeroed bytes, from ordinary memory where the heap has no room (unless locked memory
// is required: null).
void* allocate_secret(size_t bytes);

// release_secret wipes and frees.
void release_secret(void* memory, size_t bytes);

}  // namespace wvds::crypto
