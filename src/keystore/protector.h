#pragma once

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"
#include "keystore/rollback_counter.h"
#include "keystore/token_keys.h"

namespace wvds::keystore {

enum class Place : uint8_t {
  kMemory = 0,
  kFile = 1,
  kTpm = 2,
  kHsmWrapped = 3,
  kHsmInside = 4
};  // wire values of KEY_INFO

// Protector keeps the store's key-encryption key. Each kind has a folder of its own (file/, tpm/, hsm/, memory/) and
// passes one conformance suite (protector_conformance.h).
class Protector {
 public:
  virtual ~Protector() = default;
  virtual Place place() const = 0;

  // create makes a new random key-encryption key (32 bytes) and fills `header` with what unlock needs to get it back;
  // `header` holds no secret in the clear.
  virtual Result<crypto::LockedBytes> create(const crypto::Library& library, std::vector<std::byte>& header) = 0;

  // unlock gets the key-encryption key back. kStorageError with a detail that names the cause (wrong passphrase, key
  // file missing, PCRs changed) and the cure; never a key that is not the one that create made.
  virtual Result<crypto::LockedBytes> unlock(const crypto::Library& library, Bytes header) = 0;

  // rollback_counter is the counter that the header of the last create or unlock names; null where it names none. It
  // lives until the next of those calls, at most as long as the protector.
  virtual RollbackCounter* rollback_counter() { return nullptr; }

  // token_keys makes and uses keys inside the protector's token; null where there is no token that could.
  virtual std::shared_ptr<TokenKeys> token_keys() { return nullptr; }
};

}  // namespace wvds::keystore
