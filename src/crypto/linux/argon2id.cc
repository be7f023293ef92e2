#include "crypto/argon2id.h"

#include <argon2.h>
#include <sys/mman.h>

#include <cstdint>

#include "crypto/secure_heap.h"

// By the reference implementation. OpenSSL's takes its working memory from the secure heap, which would have to be
// larger than what a process may usually lock, and locked for good.
namespace wvds::crypto {
namespace {

// The library asks for memory once, and wipes it before it gives it back.
int allocate(uint8_t** memory, size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return ARGON2_MEMORY_ALLOCATION_ERROR;
  const bool locked = ::mlock(mapped, bytes) == 0;
  if (::madvise(mapped, bytes, MADV_DONTDUMP) != 0 || (!locked && locked_memory_required())) {
    ::munmap(mapped, bytes);
    return ARGON2_MEMORY_ALLOCATION_ERROR;
  }
  *memory = static_cast<uint8_t*>(mapped);
  return ARGON2_OK;
}

void release(uint8_t* memory, size_t bytes) { ::munmap(memory, bytes); }

// The library writes to passphrase and secret only where it is told to wipe them.
uint8_t* input_of(Bytes bytes) {
  return bytes.empty() ? nullptr : reinterpret_cast<uint8_t*>(const_cast<std::byte*>(bytes.data()));
}

uint32_t size_of(Bytes bytes) { return static_cast<uint32_t>(bytes.size()); }

}  // namespace

Result<> run_argon2id(const Library&, const Argon2idInputs& inputs, const Argon2idCost& cost, MutableBytes out) {
  argon2_context context{};
  context.out = reinterpret_cast<uint8_t*>(out.data());
  context.outlen = size_of(out);
  context.pwd = input_of(inputs.passphrase);
  context.pwdlen = size_of(inputs.passphrase);
  context.salt = input_of(inputs.salt);
  context.saltlen = size_of(inputs.salt);
  context.secret = input_of(inputs.secret);
  context.secretlen = size_of(inputs.secret);
  context.ad = input_of(inputs.associated);
  context.adlen = size_of(inputs.associated);
  context.t_cost = cost.passes;
  context.m_cost = cost.memory_kib;
  context.lanes = cost.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.allocate_cbk = allocate;
  context.free_cbk = release;
  context.flags = ARGON2_DEFAULT_FLAGS;
  const int done = argon2_ctx(&context, Argon2_id);
  if (done == ARGON2_OK) return {};
  if (done == ARGON2_MEMORY_ALLOCATION_ERROR) return no_argon2id_memory(cost);
  return fail(Status::kCryptoError, std::string("Argon2id failed: ") + argon2_error_message(done));
}

}  // namespace wvds::crypto
