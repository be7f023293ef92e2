#include "crypto/aead.h"

#include <algorithm>
#include <climits>
#include <functional>

#include "crypto/fetched.h"
#include "crypto/locked_secret.h"
#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

constexpr size_t kFixedFieldSize = 4;  // SP 800-38D, 8.2.1: tells the contexts of one key apart
static_assert(kNonceSize == kFixedFieldSize + sizeof(uint64_t));

bool overlap(Bytes a, Bytes b) {
  constexpr std::less<const std::byte*> before;
  return !a.empty() && !b.empty() && before(a.data(), b.data() + b.size()) && before(b.data(), a.data() + a.size());
}

bool fits_openssl(size_t size) { return size <= INT_MAX; }

Result<> check_key(const Library& library, Bytes key) {
  if (!library.fetched().aes_256_gcm) return fail(Status::kUnsupported, "no provider for AES-256-GCM");
  if (key.size() != kAesKeySize) return fail(Status::kInvalidPayload, "an AES-256 key has 32 bytes");
  return {};
}

// new_encrypting gives a context that has a key and no nonce. Encryption contexts are initialised here and nowhere
// else.
Result<CipherCtxHandle> new_encrypting(const Library& library, Bytes key) {
  CipherCtxHandle context(EVP_CIPHER_CTX_new());
  if (!context ||
      EVP_EncryptInit_ex2(context.get(), library.fetched().aes_256_gcm.get(), data_of(key), nullptr, nullptr) != 1) {
    return openssl_failure(Status::kCryptoError, "no AES-256-GCM context");
  }
  return context;
}

// encrypt does everything of a message but its nonce, which the context has, or makes with the first byte.
bool encrypt(EVP_CIPHER_CTX* context, Bytes aad, Bytes plaintext, MutableBytes ciphertext, Tag& tag) {
  int written = 0;
  if (!aad.empty() && EVP_EncryptUpdate(context, nullptr, &written, data_of(aad), static_cast<int>(aad.size())) != 1) {
    return false;
  }
  written = 0;
  if (!plaintext.empty() && EVP_EncryptUpdate(context, data_of(ciphertext), &written, data_of(plaintext),
                                              static_cast<int>(plaintext.size())) != 1) {
    return false;
  }
  if (static_cast<size_t>(written) != plaintext.size()) return false;
  std::array<unsigned char, 16> rest;  // GCM is a stream: Final writes nothing
  return EVP_EncryptFinal_ex(context, rest.data(), &written) == 1 && written == 0 &&
         EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1;
}

class Sealer : public AeadSealer {
 public:
  explicit Sealer(uint64_t message_limit) : left_(std::min(message_limit, kMaxMessages)) {}

  Result<> seal(UntrustedBytes aad, UntrustedBytes plaintext, MutableBytes ciphertext, Nonce& nonce, Tag& tag) final {
    Result<> sealed = try_seal(aad.in_place(), plaintext.in_place(), ciphertext, nonce, tag);
    if (!sealed) {
      nonce.fill({});
      tag.fill({});
      wipe(ciphertext);
    }
    return sealed;
  }

 protected:
  // seal_next encrypts one message under a nonce that was never used before, whatever happened to the last message.
  virtual bool seal_next(Bytes aad, Bytes plaintext, MutableBytes ciphertext, Nonce& nonce, Tag& tag) = 0;

 private:
  Result<> try_seal(Bytes aad, Bytes plaintext, MutableBytes ciphertext, Nonce& nonce, Tag& tag) {
    if (plaintext.size() != ciphertext.size() || !fits_openssl(plaintext.size()) || !fits_openssl(aad.size())) {
      return fail(Status::kCryptoError, "AES-256-GCM: the buffers' sizes don't match");
    }
    if (overlap(ciphertext, plaintext) || overlap(ciphertext, aad)) {
      return fail(Status::kCryptoError, "AES-256-GCM: the output overlaps an input");
    }
    if (left_ == 0) return fail(Status::kKeyUsedUp, "AES-256-GCM: the message limit of this context is reached");
    --left_;
    if (!seal_next(aad, plaintext, ciphertext, nonce, tag)) {
      return openssl_failure(Status::kCryptoError, "AES-256-GCM encryption failed");
    }
    return {};
  }

  uint64_t left_;
};

// CounterSealer: SP 800-38D, 8.2.1. The provider holds fixed field and counter and steps the counter when it hands a
// nonce out.
class CounterSealer final : public Sealer {
 public:
  CounterSealer(CipherCtxHandle context, uint64_t message_limit)
      : Sealer(message_limit), context_(std::move(context)) {}

 protected:
  bool seal_next(Bytes aad, Bytes plaintext, MutableBytes ciphertext, Nonce& nonce, Tag& tag) override {
    return EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_GCM_IV_GEN, kNonceSize, nonce.data()) == 1 && moves_on(nonce) &&
           encrypt(context_.get(), aad, plaintext, ciphertext, tag);
  }

 private:
  // moves_on holds the provider to its word: seen from the first nonce, counters only grow (they may pass 2^64), so
  // that none comes twice.
  bool moves_on(const Nonce& nonce) {
    uint64_t counter = 0;
    for (size_t i = kFixedFieldSize; i < kNonceSize; ++i) counter = counter << 8 | std::to_integer<uint64_t>(nonce[i]);
    if (!started_) first_ = counter;
    const uint64_t distance = counter - first_;
    dead_ = dead_ || (started_ && distance <= last_distance_);
    started_ = true;
    last_distance_ = distance;
    return !dead_;
  }

  CipherCtxHandle context_;
  uint64_t first_ = 0;
  uint64_t last_distance_ = 0;
  bool started_ = false;
  bool dead_ = false;
};

// RandomSealer: SP 800-38D, 8.2.2. A context that has a key and no nonce draws one, 96 bits, with the first byte. The
// context with the key never encrypts itself: each message gets a copy of it, which has never drawn a nonce.
class RandomSealer final : public Sealer {
 public:
  RandomSealer(CipherCtxHandle keyed, CipherCtxHandle working, uint64_t message_limit)
      : Sealer(message_limit), keyed_(std::move(keyed)), working_(std::move(working)) {}

 protected:
  bool seal_next(Bytes aad, Bytes plaintext, MutableBytes ciphertext, Nonce& nonce, Tag& tag) override {
    return EVP_CIPHER_CTX_copy(working_.get(), keyed_.get()) == 1 &&
           encrypt(working_.get(), aad, plaintext, ciphertext, tag) &&
           EVP_CIPHER_CTX_get_updated_iv(working_.get(), nonce.data(), nonce.size()) == 1;
  }

 private:
  CipherCtxHandle keyed_;
  CipherCtxHandle working_;
};

Result<> set_fixed_field(const Library& library, EVP_CIPHER_CTX* context) {
  std::array<std::byte, kFixedFieldSize> fixed{};
  WVDS_TRY(library.random(fixed));
  if (EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IV_FIXED, kFixedFieldSize, fixed.data()) != 1) {
    return openssl_failure(Status::kCryptoError, "AES-256-GCM: no nonce counter");
  }
  return {};
}

class Opener final : public AeadOpener {
 public:
  explicit Opener(CipherCtxHandle context) : context_(std::move(context)) {}

  Result<> open(const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag, MutableBytes plaintext) override {
    Result<> opened = try_open(nonce, aad, ciphertext, tag, plaintext);
    if (!opened) wipe(plaintext);
    return opened;
  }

 private:
  Result<> try_open(const Nonce& nonce, Bytes aad, Bytes ciphertext, const Tag& tag, MutableBytes plaintext) {
    if (plaintext.size() != ciphertext.size() || !fits_openssl(ciphertext.size()) || !fits_openssl(aad.size())) {
      return fail(Status::kCryptoError, "AES-256-GCM: the buffers' sizes don't match");
    }
    if (plaintext.data() != ciphertext.data() && overlap(plaintext, ciphertext)) {
      return fail(Status::kCryptoError, "AES-256-GCM: the buffers overlap");
    }
    if (!decrypt(nonce, aad, ciphertext, tag, plaintext)) {
      return openssl_failure(Status::kCryptoError, "AES-256-GCM decryption failed");
    }
    std::array<unsigned char, 16> rest;
    int written = 0;
    if (EVP_DecryptFinal_ex(context_.get(), rest.data(), &written) != 1) {
      return openssl_failure(Status::kDecryptionFailed, "AES-256-GCM: the tag does not match");
    }
    return {};
  }

  // decrypt does everything but the check of the tag.
  bool decrypt(const Nonce& nonce, Bytes aad, Bytes ciphertext, Tag tag, MutableBytes plaintext) {
    int written = 0;
    if (EVP_DecryptInit_ex2(context_.get(), nullptr, nullptr, data_of(Bytes(nonce)), nullptr) != 1) return false;
    if (!aad.empty() &&
        EVP_DecryptUpdate(context_.get(), nullptr, &written, data_of(aad), static_cast<int>(aad.size())) != 1) {
      return false;
    }
    written = 0;
    if (!ciphertext.empty() && EVP_DecryptUpdate(context_.get(), data_of(plaintext), &written, data_of(ciphertext),
                                                 static_cast<int>(ciphertext.size())) != 1) {
      return false;
    }
    return static_cast<size_t>(written) == ciphertext.size() &&
           EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1;
  }

  CipherCtxHandle context_;
};

}  // namespace

Result<std::unique_ptr<AeadSealer>> AeadSealer::create(const Library& library, Bytes key, NonceMode mode,
                                                       uint64_t message_limit) {
  WVDS_TRY(check_key(library, key));
  WVDS_ASSIGN(keyed, new_encrypting(library, key));
  if (mode == NonceMode::kCounter) {
    WVDS_TRY(set_fixed_field(library, keyed.get()));
    return std::make_unique<CounterSealer>(std::move(keyed), message_limit);
  }
  CipherCtxHandle working(EVP_CIPHER_CTX_new());
  if (!working) return openssl_failure(Status::kCryptoError, "no AES-256-GCM context");
  return std::make_unique<RandomSealer>(std::move(keyed), std::move(working), message_limit);
}

Result<std::unique_ptr<AeadOpener>> AeadOpener::create(const Library& library, Bytes key) {
  WVDS_TRY(check_key(library, key));
  CipherCtxHandle context(EVP_CIPHER_CTX_new());
  if (!context ||
      EVP_DecryptInit_ex2(context.get(), library.fetched().aes_256_gcm.get(), data_of(key), nullptr, nullptr) != 1) {
    return openssl_failure(Status::kCryptoError, "no AES-256-GCM context");
  }
  return std::make_unique<Opener>(std::move(context));
}

}  // namespace wvds::crypto
