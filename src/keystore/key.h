#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/key_limits.h"
#include "base/result.h"
#include "crypto/ecdsa.h"
#include "crypto/locked_secret.h"
#include "crypto/mldsa.h"
#include "crypto/mlkem.h"
#include "keystore/key_dates.h"
#include "keystore/nonce_window.h"
#include "keystore/protector.h"

namespace wvds::keystore {

// Persistent ids and those of session and volatile keys come from ranges of their own, so that many short-lived keys
// can't use up the ids of lasting ones. Both are counted up, for ever.
inline constexpr uint32_t kFirstStoredId = 1;
inline constexpr uint32_t kFirstMemoryId = 0x1000'0000;
inline constexpr uint32_t kEndOfMemoryIds = 0xffff'ff00;

using SessionId = uint64_t;  // never used again while the service runs

// KeySpec is what a key is asked to be; usages 0 and Lifetime::kDefault are already resolved by the caller.
struct KeySpec {
  Algorithm algorithm = Algorithm::kNone;
  Lifetime lifetime = Lifetime::kPersistent;
  Usages usages = 0;
  bool replay_window = true;  // AES only: remember nonces when decrypting
  std::string label;
  bool inside_token = false;  // ML-DSA and ML-KEM, persistent: made and used in the protector's token
  KeyLimits limits = {};      // max_uses only where uses_secret(usages)
};

enum class VersionState : uint8_t { kActive = 1, kRetired = 2 };  // wire and store values

// KeyVersion is one secret of a key with its own counters and window. Shared by the workers that use it; lives as long
// as any of them holds it, while `deleted()` tells them to let go.
class KeyVersion {
 public:
  virtual ~KeyVersion() = default;
  virtual uint32_t number() const = 0;
  virtual VersionState state() const = 0;
  virtual bool deleted() const = 0;

  // count_use takes one use before it happens (an encryption, signature or decapsulation): kKeyUsedUp at the version's
  // limit, kStorageError when the uses reserved on disk are exhausted and no further could be reserved, kWrongKeyUsage
  // for a retired key's version (not of an ML-KEM key, which goes on decapsulating), kKeyNotFound for a deleted one.
  // Lock-free, some nanoseconds; never touches the disk. Who waits, for the reservation that is under way and at most 5
  // seconds: a burst that the disk could not follow, and with max_uses the first use after a start and each one that
  // begins a block. A version that was superseded by a rotation still gives the uses it was granted.
  virtual Result<> count_use() = 0;
  virtual uint64_t uses() const = 0;       // upper bound; 0 where uses are not counted
  virtual uint64_t use_limit() const = 0;  // 0: none. Keys that encrypt with AES-256-GCM, or have max_uses, have one

  // aes_key is the raw key for crypto::AeadSealer/AeadOpener; empty for other algorithms.
  virtual Bytes aes_key() const = 0;
  virtual NonceWindow* window() const = 0;  // null where the key has none

  // The expanded keys come from a bounded cache and are made from the secret when they are not in it. A public-only key
  // has no private form: kWrongKeyUsage.
  virtual Result<std::shared_ptr<const crypto::MlDsaPrivateKey>> mldsa_private() const = 0;
  virtual Result<std::shared_ptr<const crypto::MlDsaPublicKey>> mldsa_public() const = 0;
  virtual Result<std::shared_ptr<const crypto::MlKemPrivateKey>> mlkem_private() const = 0;
  virtual Result<std::shared_ptr<const crypto::MlKemPublicKey>> mlkem_public() const = 0;
  virtual Result<std::shared_ptr<const crypto::EcdsaPrivateKey>> ecdsa_private() const = 0;
  virtual Result<std::shared_ptr<const crypto::EcdsaPublicKey>> ecdsa_public() const = 0;
  virtual Bytes public_key() const = 0;
};

using VersionRef = std::shared_ptr<KeyVersion>;

// Key is immutable but for its list of versions. Thread-safe.
class Key {
 public:
  virtual ~Key() = default;
  virtual uint32_t id() const = 0;
  virtual const std::string& owner() const = 0;
  virtual const KeySpec& spec() const = 0;
  virtual Place place() const = 0;
  virtual bool deleted() const = 0;

  // check_dates is kKeyNotValid where the key's dates don't allow the purpose now. Costs a look at the clock, for keys
  // that have dates only.
  virtual Result<> check_dates(Purpose purpose) const = 0;

  // change_count grows with every change of versions or state: a worker that cached versions compares it (one atomic
  // load) and asks again.
  virtual uint32_t change_count() const = 0;

  // active is the version that encrypts, signs and encapsulates: kWrongKeyUsage when the key is retired, kKeyNotFound
  // when it was deleted.
  virtual Result<VersionRef> active() const = 0;

  // versions lists what decrypts and verifies: newest first, at most 1 + kRetainedVersions.
  virtual std::vector<VersionRef> versions() const = 0;
};

inline constexpr size_t kRetainedVersions = 3;

using KeyRef = std::shared_ptr<Key>;

}  // namespace wvds::keystore
