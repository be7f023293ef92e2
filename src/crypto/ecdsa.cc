#include "crypto/ecdsa.h"

#include <utility>
#include <vector>

#include "crypto/ec_key.h"
#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

Result<> check_options(const EcdsaOptions& options, size_t message_size) {
  if (hash_size(options.hash) == 0) return fail(Status::kInvalidPayload, "ECDSA: no hash");
  if (options.is_digest && message_size != hash_size(options.hash))
    return fail(Status::kInvalidPayload, "ECDSA: a digest of another length than the hash's");
  return {};
}

// Initialiser makes a context ready for one operation of a fixed hash.
using Initialiser = int (*)(EVP_PKEY_CTX*, EVP_SIGNATURE*, const OSSL_PARAM*);

// Core is the half that a public key and a private key share. A context is made for each operation: a key has eight
// kinds of them, and to make one is little beside the operation itself.
class Core {
 public:
  Core(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info, PkeyHandle key)
      : library_(library), fetched_(fetched), info_(info), key_(std::move(key)) {}

  Result<> verify(const EcdsaOptions& options, UntrustedBytes message, Bytes signature) const {
    WVDS_TRY(check_options(options, message.size()));
    if (signature.empty() || signature.size() > info_.signature)
      return fail(Status::kSignatureInvalid, "ECDSA: the signature has a wrong length");
    const Initialiser init = options.is_digest ? EVP_PKEY_verify_init_ex2 : EVP_PKEY_verify_message_init;
    WVDS_ASSIGN(context, ready(init, options.hash));
    const Bytes in_place = message.in_place();
    if (EVP_PKEY_verify(context.get(), data_of(signature), signature.size(), data_of(in_place), in_place.size()) == 1)
      return {};
    return openssl_failure(Status::kSignatureInvalid, "ECDSA: the signature is not valid");
  }

  Result<size_t> sign(const EcdsaOptions& options, Bytes message, MutableBytes signature) const {
    WVDS_TRY(check_options(options, message.size()));
    if (signature.size() != info_.signature)
      return fail(Status::kInternalError, "ECDSA: the signature buffer has a wrong size");
    const Initialiser init = options.is_digest ? EVP_PKEY_sign_init_ex2 : EVP_PKEY_sign_message_init;
    WVDS_ASSIGN(context, ready(init, options.hash));
    size_t written = signature.size();
    if (EVP_PKEY_sign(context.get(), data_of(signature), &written, data_of(message), message.size()) != 1 ||
        written == 0 || written > signature.size()) {
      return openssl_failure(Status::kCryptoError, "ECDSA: signing failed");
    }
    return written;
  }

 private:
  Result<PkeyCtxHandle> ready(Initialiser init, Hash hash) const {
    PkeyCtxHandle context(EVP_PKEY_CTX_new_from_pkey(library_.context(), key_.get(), nullptr));
    if (!context || init(context.get(), fetched_.signature_of(hash), nullptr) != 1)
      return openssl_failure(Status::kCryptoError, "ECDSA: no context");
    return context;
  }

  const Library& library_;
  const FetchedEcdsa& fetched_;
  const AlgorithmInfo& info_;
  PkeyHandle key_;
};

class OpensslEcdsaPublicKey final : public EcdsaPublicKey {
 public:
  explicit OpensslEcdsaPublicKey(Core core) : core_(std::move(core)) {}

  Result<> verify(const EcdsaOptions& options, UntrustedBytes message, Bytes signature) const override {
    return core_.verify(options, message, signature);
  }

 private:
  Core core_;
};

class OpensslEcdsaPrivateKey final : public EcdsaPrivateKey {
 public:
  OpensslEcdsaPrivateKey(Core core, std::vector<std::byte> public_key)
      : core_(std::move(core)), public_key_(std::move(public_key)) {}

  Result<> verify(const EcdsaOptions& options, UntrustedBytes message, Bytes signature) const override {
    return core_.verify(options, message, signature);
  }

  Bytes public_key() const override { return public_key_; }

  Result<size_t> sign(const EcdsaOptions& options, UntrustedBytes message, MutableBytes signature) const override {
    Result<size_t> length = core_.sign(options, message.in_place(), signature);
    wipe(length ? signature.subspan(*length) : signature);
    return length;
  }

 private:
  Core core_;
  std::vector<std::byte> public_key_;
};

Result<std::unique_ptr<EcdsaPrivateKey>> new_ecdsa_private_key(const Library& library, const FetchedEcdsa& fetched,
                                                               const AlgorithmInfo& info, PkeyHandle key) {
  WVDS_ASSIGN(public_key, point_of(key.get(), info));
  return std::make_unique<OpensslEcdsaPrivateKey>(Core(library, fetched, info, std::move(key)), std::move(public_key));
}

}  // namespace

Result<std::unique_ptr<EcdsaPublicKey>> EcdsaPublicKey::import(const Library& library, Algorithm algorithm,
                                                               Bytes public_key) {
  WVDS_ASSIGN(fetched, ecdsa_algorithm(library, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, ec_public_key(library, *fetched, info, public_key));
  return std::make_unique<OpensslEcdsaPublicKey>(Core(library, *fetched, info, std::move(key)));
}

Result<std::unique_ptr<EcdsaPrivateKey>> EcdsaPrivateKey::generate(const Library& library, Algorithm algorithm,
                                                                   LockedBytes& scalar_out) {
  WVDS_ASSIGN(fetched, ecdsa_algorithm(library, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, generate_ec_key(library, *fetched, info));
  WVDS_ASSIGN(scalar, scalar_of(key.get(), info));
  WVDS_ASSIGN(made, new_ecdsa_private_key(library, *fetched, info, std::move(key)));
  scalar_out = std::move(scalar);
  return made;
}

Result<std::unique_ptr<EcdsaPrivateKey>> EcdsaPrivateKey::from_scalar(const Library& library, Algorithm algorithm,
                                                                      Bytes scalar) {
  WVDS_ASSIGN(fetched, ecdsa_algorithm(library, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, ec_key_from_scalar(library, *fetched, info, scalar));
  return new_ecdsa_private_key(library, *fetched, info, std::move(key));
}

}  // namespace wvds::crypto
