#include "crypto/argon2id.h"

#include <string>

#include "crypto/locked_secret.h"
#include "crypto/secure_heap.h"

namespace wvds::crypto {
namespace {

// RFC 9106, section 3.1
constexpr size_t kMinArgon2Salt = 8;
constexpr size_t kMinOutput = 4;
constexpr uint32_t kMaxLanes = (1u << 24) - 1;
constexpr uint32_t kMinMemoryOfLane = 8;  // KiB

constexpr size_t kMaxInput = 1 << 16;
constexpr size_t kMaxOutput = 1024;

Result<> check(const Argon2idInputs& inputs, const Argon2idCost& cost, size_t out) {
  const auto too_long = [](Bytes input) { return input.size() > kMaxInput; };
  if (inputs.salt.size() < kMinArgon2Salt || too_long(inputs.salt) || too_long(inputs.passphrase) ||
      too_long(inputs.secret) || too_long(inputs.associated) || out < kMinOutput || out > kMaxOutput) {
    return fail(Status::kInvalidPayload, "Argon2id: an input has a wrong length");
  }
  if (cost.passes == 0 || cost.lanes == 0 || cost.lanes > kMaxLanes || cost.memory_kib > kMaxArgon2idMemory ||
      cost.memory_kib < uint64_t{kMinMemoryOfLane} * cost.lanes) {
    return fail(Status::kInvalidPayload, "Argon2id: there is no such cost");
  }
  return {};
}

}  // namespace

std::unexpected<Error> no_argon2id_memory(const Argon2idCost& cost) {
  const char* const what = locked_memory_required() ? " MB of memory that can be locked" : " MB of memory";
  return fail(Status::kLimitReached, "the passphrase needs " + std::to_string((cost.memory_kib + 1023) / 1024) + what +
                                         " for a moment, which can't be had");
}

Result<> argon2id(const Library& library, const Argon2idInputs& inputs, const Argon2idCost& cost, MutableBytes out) {
  auto done = check(inputs, cost, out.size());
  if (done) done = run_argon2id(library, inputs, cost, out);
  if (!done) wipe(out);
  return done;
}

}  // namespace wvds::crypto
