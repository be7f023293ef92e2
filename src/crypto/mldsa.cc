#include "crypto/mldsa.h"

#include <openssl/core_names.h>

#include <string>
#include <utility>

#include "crypto/openssl_error.h"
#include "crypto/pqc_key.h"

namespace wvds::crypto {
namespace {

// Contexts are initialised once a key and duplicated for each operation: 0.1 us instead of 0.5 us, and no look-ups by
// name.
Result<PkeyCtxHandle> new_signing(const Library& library, const FetchedPqc& fetched, EVP_PKEY* key) {
  PkeyCtxHandle context(EVP_PKEY_CTX_new_from_pkey(library.context(), key, fetched.query()));
  if (!context || EVP_PKEY_sign_message_init(context.get(), fetched.signature.get(), nullptr) != 1) {
    return openssl_failure(Status::kCryptoError, "ML-DSA: no signing context");
  }
  return context;
}

Result<PkeyCtxHandle> new_verifying(const Library& library, const FetchedPqc& fetched, EVP_PKEY* key) {
  PkeyCtxHandle context(EVP_PKEY_CTX_new_from_pkey(library.context(), key, fetched.query()));
  if (!context || EVP_PKEY_verify_message_init(context.get(), fetched.signature.get(), nullptr) != 1) {
    return openssl_failure(Status::kCryptoError, "ML-DSA: no verifying context");
  }
  return context;
}

Result<> check_options(const MlDsaOptions& options, size_t message_size) {
  if (options.context.size() > kMaxContextSize)
    return fail(Status::kInvalidPayload, "ML-DSA: the context is over 255 bytes");
  if (!options.external_mu) return {};
  // OpenSSL would ignore the context without a word: mu already contains one.
  if (!options.context.empty())
    return fail(Status::kInvalidPayload, "ML-DSA: a context has no effect on an external mu");
  if (message_size != kMuSize) return fail(Status::kInvalidPayload, "ML-DSA: an external mu has 64 bytes");
  return {};
}

// for_message duplicates `initialised` and gives it the options of one message.
Result<PkeyCtxHandle> for_message(const EVP_PKEY_CTX* initialised, const MlDsaOptions& options) {
  PkeyCtxHandle context(EVP_PKEY_CTX_dup(initialised));
  int deterministic = options.deterministic ? 1 : 0;
  int mu = options.external_mu ? 1 : 0;
  std::array parameters{OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_DETERMINISTIC, &deterministic),
                        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_MU, &mu),
                        octet_param(OSSL_SIGNATURE_PARAM_CONTEXT_STRING, options.context), OSSL_PARAM_construct_end()};
  if (!context || EVP_PKEY_CTX_set_params(context.get(), parameters.data()) != 1) {
    return openssl_failure(Status::kCryptoError, "ML-DSA: the options were not accepted");
  }
  return context;
}

// Verifier is the half that a public key and a private key share.
class Verifier {
 public:
  Verifier(const AlgorithmInfo& info, PkeyHandle key, PkeyCtxHandle verifying)
      : info_(info), key_(std::move(key)), verifying_(std::move(verifying)) {}

  Result<> verify(const MlDsaOptions& options, UntrustedBytes message, Bytes signature) const {
    WVDS_TRY(check_options(options, message.size()));
    if (signature.size() != info_.signature)
      return fail(Status::kSignatureInvalid, "ML-DSA: the signature has a wrong length");
    WVDS_ASSIGN(context, for_message(verifying_.get(), options));
    const Bytes in_place = message.in_place();
    if (EVP_PKEY_verify(context.get(), data_of(signature), signature.size(), data_of(in_place), in_place.size()) == 1)
      return {};
    return openssl_failure(Status::kSignatureInvalid, "ML-DSA: the signature is not valid");
  }

  const AlgorithmInfo& info() const { return info_; }

 private:
  const AlgorithmInfo& info_;
  PkeyHandle key_;
  PkeyCtxHandle verifying_;
};

Result<Verifier> new_verifier(const Library& library, const FetchedPqc& fetched, const AlgorithmInfo& info,
                              PkeyHandle key) {
  WVDS_ASSIGN(verifying, new_verifying(library, fetched, key.get()));
  return Verifier(info, std::move(key), std::move(verifying));
}

class OpensslMlDsaPublicKey final : public MlDsaPublicKey {
 public:
  explicit OpensslMlDsaPublicKey(Verifier verifier) : verifier_(std::move(verifier)) {}

  Result<> verify(const MlDsaOptions& options, UntrustedBytes message, Bytes signature) const override {
    return verifier_.verify(options, message, signature);
  }

 private:
  Verifier verifier_;
};

class OpensslMlDsaPrivateKey final : public MlDsaPrivateKey {
 public:
  OpensslMlDsaPrivateKey(Verifier verifier, PkeyCtxHandle signing, std::vector<std::byte> public_key)
      : verifier_(std::move(verifier)), signing_(std::move(signing)), public_key_(std::move(public_key)) {}

  Result<> verify(const MlDsaOptions& options, UntrustedBytes message, Bytes signature) const override {
    return verifier_.verify(options, message, signature);
  }

  Bytes public_key() const override { return public_key_; }

  Result<> sign(const MlDsaOptions& options, UntrustedBytes message, MutableBytes signature) const override {
    Result<> signed_message = try_sign(options, message.in_place(), signature);
    if (!signed_message) wipe(signature);
    return signed_message;
  }

 private:
  Result<> try_sign(const MlDsaOptions& options, Bytes message, MutableBytes signature) const {
    WVDS_TRY(check_options(options, message.size()));
    const size_t expected = verifier_.info().signature;
    if (signature.size() != expected)
      return fail(Status::kInternalError, "ML-DSA: the signature buffer has a wrong size");
    WVDS_ASSIGN(context, for_message(signing_.get(), options));
    size_t written = signature.size();
    if (EVP_PKEY_sign(context.get(), data_of(signature), &written, data_of(message), message.size()) != 1 ||
        written != expected) {
      return openssl_failure(Status::kCryptoError, "ML-DSA: signing failed");
    }
    return {};
  }

  Verifier verifier_;
  PkeyCtxHandle signing_;
  std::vector<std::byte> public_key_;
};

Result<std::unique_ptr<MlDsaPrivateKey>> new_ml_dsa_private_key(const Library& library, const FetchedPqc& fetched,
                                                                const AlgorithmInfo& info, PkeyHandle key) {
  WVDS_ASSIGN(public_key, public_key_of(key.get(), info));
  WVDS_ASSIGN(signing, new_signing(library, fetched, key.get()));
  WVDS_ASSIGN(verifier, new_verifier(library, fetched, info, std::move(key)));
  return std::make_unique<OpensslMlDsaPrivateKey>(std::move(verifier), std::move(signing), std::move(public_key));
}

}  // namespace

Result<std::unique_ptr<MlDsaPublicKey>> MlDsaPublicKey::import(const Library& library, Algorithm algorithm,
                                                               Bytes public_key) {
  WVDS_ASSIGN(fetched, pqc_algorithm(library, kMlDsaFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, pqc_public_key(*fetched, info, public_key));
  WVDS_ASSIGN(verifier, new_verifier(library, *fetched, info, std::move(key)));
  return std::make_unique<OpensslMlDsaPublicKey>(std::move(verifier));
}

Result<std::unique_ptr<MlDsaPrivateKey>> MlDsaPrivateKey::generate(const Library& library, Algorithm algorithm,
                                                                   LockedBytes& seed_out) {
  WVDS_ASSIGN(fetched, pqc_algorithm(library, kMlDsaFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, generate_pqc_key(*fetched, info));
  WVDS_ASSIGN(seed, seed_of(key.get(), info));
  WVDS_ASSIGN(made, new_ml_dsa_private_key(library, *fetched, info, std::move(key)));
  seed_out = std::move(seed);
  return made;
}

Result<std::unique_ptr<MlDsaPrivateKey>> MlDsaPrivateKey::from_seed(const Library& library, Algorithm algorithm,
                                                                    Bytes seed) {
  WVDS_ASSIGN(fetched, pqc_algorithm(library, kMlDsaFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_ASSIGN(key, pqc_key_from_seed(*fetched, info, seed));
  return new_ml_dsa_private_key(library, *fetched, info, std::move(key));
}

}  // namespace wvds::crypto
