#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

// AES-256-GCM (SP 800-38D). There is no function here that takes a nonce for encryption.
namespace wvds::crypto {

using Nonce = std::array<std::byte, kNonceSize>;
using Tag = std::array<std::byte, kTagSize>;

enum class NonceMode : uint8_t {
  kCounter,  // SP 800-38D 8.2.1: 4 random bytes fixed for the context, then a 64-bit counter with a random start,
             // inside the provider
  kRandom,   // SP 800-38D 8.2.2: 96 random bits for each message
};

// A sealer refuses more messages than SP 800-38D, 8.3 allows one key (with random nonces; the counter construction gets
// the same limit, so that its 64-bit counter never comes round).
inline constexpr uint64_t kMaxMessages = 1ull << 32;

// AeadSealer encrypts under one key. It makes every nonce itself and is bound to one key and one worker: not copyable,
// not movable once made (a copied context repeats nonces), not thread-safe.
class AeadSealer {
 public:
  // create takes a 32-byte key (kInvalidPayload otherwise). At most `message_limit` calls of seal get a nonce,
  // successful or not.
  static Result<std::unique_ptr<AeadSealer>> create(const Library& library, Bytes key, NonceMode mode,
                                                    uint64_t message_limit = kMaxMessages);
  AeadSealer(const AeadSealer&) = delete;
  AeadSealer& operator=(const AeadSealer&) = delete;
  virtual ~AeadSealer() = default;

  // seal encrypts `plaintext` into `ciphertext` (same length, may be shared memory, must not overlap plaintext or aad)
  // and fills nonce and tag, which must be private memory. aad and plaintext are read once, in place; in counter mode
  // nothing is allocated. After any error the nonce is dead, nonce and tag are zero and `ciphertext` is wiped:
  // kCryptoError, or kKeyUsedUp past the message limit.
  virtual Result<> seal(UntrustedBytes aad, UntrustedBytes plaintext, MutableBytes ciphertext, Nonce& nonce,
                        Tag& tag) = 0;

 protected:
  AeadSealer() = default;
};

// AeadOpener decrypts under one key. One worker at a time.
class AeadOpener {
 public:
  // create takes a 32-byte key (kInvalidPayload otherwise).
  static Result<std::unique_ptr<AeadOpener>> create(const Library& library, Bytes key);
  AeadOpener(const AeadOpener&) = delete;
  AeadOpener& operator=(const AeadOpener&) = delete;
  virtual ~AeadOpener() = default;

  // open checks the tag and decrypts. Every buffer must be private memory; `plaintext` has ciphertext's length and may
  // be the same memory (but not overlap it otherwise). On failure (kDecryptionFailed: tag; kCryptoError) `plaintext` is
  // wiped.
  virtual Result<> open(const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag, MutableBytes plaintext) = 0;

 protected:
  AeadOpener() = default;
};

}  // namespace wvds::crypto
