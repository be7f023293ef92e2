#include "crypto/pqc_key.h"

#include <openssl/core_names.h>

#include <array>
#include <string>

#include "crypto/openssl_error.h"
#include "crypto/secure_heap.h"

namespace wvds::crypto {
namespace {

// What OpenSSL keeps of one private key in the secure heap, rounded up; measured by
// PrivateKeys.FitTheSizesThatTheLibraryDocuments.
constexpr size_t kMlDsaHeapUse = 48 << 10;
constexpr size_t kMlKemHeapUse = 8 << 10;

PkeyCtxHandle key_context(const FetchedPqc& fetched) { return PkeyCtxHandle(EVP_PKEY_CTX_dup(fetched.keys.get())); }

PkeyHandle import(const FetchedPqc& fetched, int selection, OSSL_PARAM part) {
  const PkeyCtxHandle context = key_context(fetched);
  std::array parameters{part, OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1) return nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters.data()) != 1) return nullptr;
  return PkeyHandle(key);
}

Result<> read_part(const EVP_PKEY* key, const char* part, const AlgorithmInfo& info, MutableBytes out) {
  size_t length = 0;
  if (EVP_PKEY_get_octet_string_param(key, part, data_of(out), out.size(), &length) != 1 || length != out.size()) {
    return openssl_failure(Status::kCryptoError,
                           std::string(info.name) + ": the key has no " + part + " of the right length");
  }
  return {};
}

}  // namespace

Result<> check_heap_room(const AlgorithmInfo& info) {
  if (secure_heap_has_room(is_ml_dsa(info.algorithm) ? kMlDsaHeapUse : kMlKemHeapUse)) return {};
  return fail(Status::kLimitReached, std::string(info.name) + ": the locked memory for expanded keys is used up");
}

Result<const FetchedPqc*> pqc_algorithm(const Library& library, const PqcFamily& family, Algorithm algorithm) {
  if (!family.contains(algorithm) || algorithm_info(algorithm) == nullptr) {
    return fail(Status::kWrongKeyType, std::string("not an algorithm of ") + family.name);
  }
  const FetchedPqc* fetched = library.fetched().pqc_of(algorithm);
  if (fetched == nullptr)
    return fail(Status::kUnsupported, std::string("no provider for ") + algorithm_info(algorithm)->name);
  return fetched;
}

Result<PkeyHandle> generate_pqc_key(const FetchedPqc& fetched, const AlgorithmInfo& info) {
  WVDS_TRY(check_heap_room(info));
  const PkeyCtxHandle context = key_context(fetched);
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_keygen_init(context.get()) != 1 || EVP_PKEY_generate(context.get(), &key) != 1) {
    return openssl_failure(Status::kCryptoError, std::string(info.name) + ": key generation failed");
  }
  return PkeyHandle(key);
}

Result<PkeyHandle> pqc_key_from_seed(const FetchedPqc& fetched, const AlgorithmInfo& info, Bytes seed) {
  if (seed.size() != info.secret)
    return fail(Status::kInvalidPayload, std::string(info.name) + ": the seed has a wrong length");
  WVDS_TRY(check_heap_room(info));
  PkeyHandle key = import(fetched, EVP_PKEY_KEYPAIR, octet_param(OSSL_PKEY_PARAM_ML_DSA_SEED, seed));
  if (!key) return openssl_failure(Status::kCryptoError, std::string(info.name) + ": the seed was not accepted");
  return key;
}

Result<PkeyHandle> pqc_public_key(const FetchedPqc& fetched, const AlgorithmInfo& info, Bytes public_key) {
  if (public_key.size() != info.public_key) {
    return fail(Status::kInvalidPayload, std::string(info.name) + ": the public key has a wrong length");
  }
  PkeyHandle key = import(fetched, EVP_PKEY_PUBLIC_KEY, octet_param(OSSL_PKEY_PARAM_PUB_KEY, public_key));
  if (!key)
    return openssl_failure(Status::kInvalidPayload, std::string(info.name) + ": the public key was not accepted");
  return key;
}

Result<LockedBytes> seed_of(const EVP_PKEY* key, const AlgorithmInfo& info) {
  WVDS_ASSIGN(seed, LockedBytes::of_size(info.secret));
  WVDS_TRY(read_part(key, OSSL_PKEY_PARAM_ML_DSA_SEED, info, seed.expose_for_writing()));
  return seed;
}

Result<std::vector<std::byte>> public_key_of(const EVP_PKEY* key, const AlgorithmInfo& info) {
  std::vector<std::byte> public_key(info.public_key);
  WVDS_TRY(read_part(key, OSSL_PKEY_PARAM_PUB_KEY, info, public_key));
  return public_key;
}

}  // namespace wvds::crypto
