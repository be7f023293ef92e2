// Counts what the paths of a request allocate, in OpenSSL and in C++.

#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "crypto/aead.h"
#include "crypto/testing/library_fixture.h"

namespace {

std::atomic<uint64_t> allocations{0};

void* counted_malloc(size_t size, const char*, int) {
  ++allocations;
  return std::malloc(size);
}
void* counted_realloc(void* memory, size_t size, const char*, int) {
  ++allocations;
  return std::realloc(memory, size);
}
void counted_free(void* memory, const char*, int) { std::free(memory); }

// OpenSSL takes these only before its first allocation, so before main.
const int counting = CRYPTO_set_mem_functions(counted_malloc, counted_realloc, counted_free);

}  // namespace

// Not inlined: GCC would take malloc and delete for a mismatch.
[[gnu::noinline]] void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace wvds::crypto {
namespace {

class AeadAllocations : public LibraryTest {
 protected:
  // Allocations of `rounds` messages, sealed and opened, after a first one
  uint64_t of_messages(NonceMode mode, size_t size, int rounds) {
    auto sealer = AeadSealer::create(library(), pattern(kAesKeySize), mode);
    auto opener = AeadOpener::create(library(), pattern(kAesKeySize));
    const Octets plaintext = pattern(size);
    Octets ciphertext(size);
    Octets opened(size);
    uint64_t before = 0;
    for (int i = 0; i <= rounds; ++i) {
      if (i == 1) before = allocations;
      Nonce nonce{};
      Tag tag{};
      if (!(*sealer)->seal(UntrustedBytes(as_bytes("aad")), UntrustedBytes(Bytes(plaintext)), ciphertext, nonce, tag))
        return ~0ull;
      if (!(*opener)->open(nonce, as_bytes("aad"), ciphertext, tag, opened)) return ~0ull;
    }
    return allocations - before;
  }
};
WVDS_IN_BOTH_MODES(AeadAllocations);

TEST_P(AeadAllocations, AreNoneInCounterMode) {
  ASSERT_EQ(counting, 1) << "OpenSSL had allocated before";
  for (const size_t size : {64, 65536}) EXPECT_EQ(of_messages(NonceMode::kCounter, size, 1000), 0u) << size;
}

TEST_P(AeadAllocations, AreCountedInRandomMode) {
  EXPECT_GE(of_messages(NonceMode::kRandom, 64, 100), 100u) << "the copied context of each message: the count works";
}

}  // namespace
}  // namespace wvds::crypto
