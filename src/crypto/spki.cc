#include "crypto/spki.h"

#include <string>

#include "crypto/openssl_error.h"
#include "crypto/pqc_key.h"

namespace wvds::crypto {

Result<std::vector<std::byte>> public_key_from_spki(const Library& library, Algorithm algorithm, Bytes der) {
  WVDS_TRY(pqc_algorithm(library, is_ml_dsa(algorithm) ? kMlDsaFamily : kMlKemFamily, algorithm));
  const AlgorithmInfo& info = *algorithm_info(algorithm);
  EVP_PKEY* key = nullptr;
  const DecoderCtxHandle decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "SubjectPublicKeyInfo", info.name,
                                                               EVP_PKEY_PUBLIC_KEY, library.context(), nullptr));
  const unsigned char* position = data_of(der);
  size_t left = der.size();
  const bool decoded = decoder && OSSL_DECODER_from_data(decoder.get(), &position, &left) == 1 && left == 0;
  const PkeyHandle owned(key);
  if (!decoded || EVP_PKEY_is_a(key, info.name) != 1)
    return openssl_failure(Status::kInvalidPayload, std::string("not a public key of ") + info.name);
  return public_key_of(key, info);
}

}  // namespace wvds::crypto
