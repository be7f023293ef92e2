#include <string>

#include "crypto/ec_key.h"
#include "crypto/ecdsa.h"
#include "crypto/mldsa.h"
#include "crypto/openssl_error.h"
#include "crypto/pqc_key.h"

namespace wvds::crypto {
namespace {

// decode_private_key reads one DER PrivateKeyInfo with nothing after it; null when it is not one of the named type.
PkeyHandle decode_private_key(const Library& library, const char* name, Bytes der) {
  EVP_PKEY* key = nullptr;
  const DecoderCtxHandle decoder(
      OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "PrivateKeyInfo", name, EVP_PKEY_KEYPAIR, library.context(), nullptr));
  const unsigned char* position = data_of(der);
  size_t left = der.size();
  const bool decoded = decoder && OSSL_DECODER_from_data(decoder.get(), &position, &left) == 1 && left == 0;
  PkeyHandle owned(key);
  return decoded ? std::move(owned) : nullptr;
}

}  // namespace

Result<LockedBytes> seed_from_pkcs8(const Library& library, Algorithm algorithm, Bytes der) {
  WVDS_TRY(pqc_algorithm(library, is_ml_dsa(algorithm) ? kMlDsaFamily : kMlKemFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_TRY(check_heap_room(info));
  const PkeyHandle key = decode_private_key(library, info.name, der);
  if (!key || EVP_PKEY_is_a(key.get(), info.name) != 1) {
    return openssl_failure(Status::kInvalidPayload, std::string("not a PKCS#8 private key of ") + info.name);
  }
  auto seed = seed_of(key.get(), info);
  if (!seed && seed.error().status == Status::kCryptoError) {
    return fail(Status::kUnsupported, std::string(info.name) + ": the PKCS#8 key holds no seed, only the expanded key");
  }
  return seed;
}

Result<LockedBytes> scalar_from_pkcs8(const Library& library, Algorithm algorithm, Bytes der) {
  WVDS_TRY(ecdsa_algorithm(library, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  WVDS_TRY(check_ec_heap_room(info));
  const PkeyHandle key = decode_private_key(library, "EC", der);
  if (!key || EVP_PKEY_is_a(key.get(), "EC") != 1 || !is_on_named_curve(key.get(), info))
    return openssl_failure(Status::kInvalidPayload, std::string("not a PKCS#8 private key of ") + info.name);
  if (!is_pair(library, key.get()))
    return openssl_failure(Status::kInvalidPayload, std::string(info.name) + ": scalar and public key are no pair");
  return scalar_of(key.get(), info);
}

}  // namespace wvds::crypto
