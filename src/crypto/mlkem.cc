#include "crypto/mlkem.h"

#include <atomic>
#include <utility>
#include <vector>

#include "crypto/openssl_error.h"
#include "crypto/pqc_key.h"

namespace wvds::crypto {
namespace {

using InitFunction = int (*)(EVP_PKEY_CTX*, const OSSL_PARAM*);

// ContextSlot keeps one initialised context of a key for the next operation: making one costs 0.4 to 0.7 us, up to 4%
// of an encapsulation. OpenSSL's KEM contexts can't be duplicated and are not for two threads at once, so a thread
// takes the context out, and one that finds the slot empty makes its own. Thread-safe.
class ContextSlot {
 public:
  ContextSlot(const Library& library, const FetchedPqc& fetched, EVP_PKEY* key, InitFunction init)
      : library_(library), fetched_(fetched), key_(key), init_(init) {}
  ~ContextSlot() { PkeyCtxHandle(kept_.load()); }
  ContextSlot(const ContextSlot&) = delete;
  ContextSlot& operator=(const ContextSlot&) = delete;

  // take is null when OpenSSL can't make a context.
  PkeyCtxHandle take() {
    PkeyCtxHandle context(kept_.exchange(nullptr));
    if (context) return context;
    context.reset(EVP_PKEY_CTX_new_from_pkey(library_.context(), key_, fetched_.query()));
    if (context && init_(context.get(), nullptr) != 1) context.reset();
    return context;
  }

  void give_back(PkeyCtxHandle context) { PkeyCtxHandle(kept_.exchange(context.release())); }

 private:
  const Library& library_;
  const FetchedPqc& fetched_;
  EVP_PKEY* const key_;
  const InitFunction init_;
  std::atomic<EVP_PKEY_CTX*> kept_{nullptr};
};

// Encapsulator is the half that a public key and a private key share.
class Encapsulator {
 public:
  Encapsulator(const Library& library, const FetchedPqc& fetched, const AlgorithmInfo& info, PkeyHandle key,
               std::vector<std::byte> encapsulation_key)
      : info_(info),
        key_(std::move(key)),
        encapsulation_key_(std::move(encapsulation_key)),
        contexts_(library, fetched, key_.get(), EVP_PKEY_encapsulate_init) {}

  Result<> encapsulate(MutableBytes ciphertext, SharedSecret& shared_secret) {
    Result<> done = try_encapsulate(ciphertext, shared_secret.expose_for_writing());
    if (!done) {
      wipe(ciphertext);
      wipe(shared_secret.expose_for_writing());
    }
    return done;
  }

  const AlgorithmInfo& info() const { return info_; }
  EVP_PKEY* key() const { return key_.get(); }
  Bytes encapsulation_key() const { return encapsulation_key_; }

 private:
  Result<> try_encapsulate(MutableBytes ciphertext, MutableBytes secret) {
    if (ciphertext.size() != info_.kem_ciphertext) {
      return fail(Status::kInternalError, "ML-KEM: the ciphertext buffer has a wrong size");
    }
    PkeyCtxHandle context = contexts_.take();
    size_t ciphertext_size = ciphertext.size();
    size_t secret_size = secret.size();
    if (!context ||
        EVP_PKEY_encapsulate(context.get(), data_of(ciphertext), &ciphertext_size, data_of(secret), &secret_size) !=
            1 ||
        ciphertext_size != info_.kem_ciphertext || secret_size != kSharedSecretSize) {
      return openssl_failure(Status::kCryptoError, "ML-KEM: encapsulation failed");
    }
    contexts_.give_back(std::move(context));
    return {};
  }

  const AlgorithmInfo& info_;
  const PkeyHandle key_;
  const std::vector<std::byte> encapsulation_key_;
  ContextSlot contexts_;
};

class OpensslMlKemPublicKey final : public MlKemPublicKey {
 public:
  OpensslMlKemPublicKey(const Library& library, const FetchedPqc& fetched, const AlgorithmInfo& info, PkeyHandle key,
                        std::vector<std::byte> encapsulation_key)
      : encapsulator_(library, fetched, info, std::move(key), std::move(encapsulation_key)) {}

  Result<> encapsulate(MutableBytes ciphertext, SharedSecret& shared_secret) const override {
    return encapsulator_.encapsulate(ciphertext, shared_secret);
  }
  Bytes encapsulation_key() const override { return encapsulator_.encapsulation_key(); }

 private:
  mutable Encapsulator encapsulator_;  // thread-safe
};

class OpensslMlKemPrivateKey final : public MlKemPrivateKey {
 public:
  OpensslMlKemPrivateKey(const Library& library, const FetchedPqc& fetched, const AlgorithmInfo& info, PkeyHandle key,
                         std::vector<std::byte> encapsulation_key)
      : encapsulator_(library, fetched, info, std::move(key), std::move(encapsulation_key)),
        contexts_(library, fetched, encapsulator_.key(), EVP_PKEY_decapsulate_init) {}

  Result<> encapsulate(MutableBytes ciphertext, SharedSecret& shared_secret) const override {
    return encapsulator_.encapsulate(ciphertext, shared_secret);
  }
  Bytes encapsulation_key() const override { return encapsulator_.encapsulation_key(); }

  Result<> decapsulate(Bytes ciphertext, SharedSecret& shared_secret) const override {
    Result<> done = try_decapsulate(ciphertext, shared_secret.expose_for_writing());
    if (!done) wipe(shared_secret.expose_for_writing());
    return done;
  }

 private:
  Result<> try_decapsulate(Bytes ciphertext, MutableBytes secret) const {
    if (ciphertext.size() != encapsulator_.info().kem_ciphertext) {
      return fail(Status::kInvalidPayload, "ML-KEM: the ciphertext has a wrong length");
    }
    PkeyCtxHandle context = contexts_.take();
    size_t secret_size = secret.size();
    if (!context ||
        EVP_PKEY_decapsulate(context.get(), data_of(secret), &secret_size, data_of(ciphertext), ciphertext.size()) !=
            1 ||
        secret_size != kSharedSecretSize) {
      return openssl_failure(Status::kCryptoError, "ML-KEM: decapsulation failed");
    }
    contexts_.give_back(std::move(context));
    return {};
  }

  mutable Encapsulator encapsulator_;  // thread-safe
  mutable ContextSlot contexts_;       // thread-safe
};

Result<std::unique_ptr<MlKemPrivateKey>> new_ml_kem_private_key(const Library& library, const FetchedPqc& fetched,
                                                                const AlgorithmInfo& info, PkeyHandle key) {
  WVDS_ASSIGN(encapsulation_key, public_key_of(key.get(), info));
  return std::make_unique<OpensslMlKemPrivateKey>(library, fetched, info, std::move(key), std::move(encapsulation_key));
}

}  // namespace

Result<std::unique_ptr<MlKemPublicKey>> MlKemPublicKey::import(const Library& library, Algorithm algorithm,
                                                               Bytes encapsulation_key) {
  WVDS_ASSIGN(fetched, pqc_algorithm(library, kMlKemFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, pqc_public_key(*fetched, info, encapsulation_key));
  return std::make_unique<OpensslMlKemPublicKey>(
      library, *fetched, info, std::move(key),
      std::vector<std::byte>(encapsulation_key.begin(), encapsulation_key.end()));
}

Result<std::unique_ptr<MlKemPrivateKey>> MlKemPrivateKey::generate(const Library& library, Algorithm algorithm,
                                                                   LockedBytes& seed_out) {
  WVDS_ASSIGN(fetched, pqc_algorithm(library, kMlKemFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, generate_pqc_key(*fetched, info));
  WVDS_ASSIGN(seed, seed_of(key.get(), info));
  WVDS_ASSIGN(made, new_ml_kem_private_key(library, *fetched, info, std::move(key)));
  seed_out = std::move(seed);
  return made;
}

Result<std::unique_ptr<MlKemPrivateKey>> MlKemPrivateKey::from_seed(const Library& library, Algorithm algorithm,
                                                                    Bytes seed) {
  WVDS_ASSIGN(fetched, pqc_algorithm(library, kMlKemFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, pqc_key_from_seed(*fetched, info, seed));
  return new_ml_kem_private_key(library, *fetched, info, std::move(key));
}

}  // namespace wvds::crypto
