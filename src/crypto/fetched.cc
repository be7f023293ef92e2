#include "crypto/fetched.h"

#include <algorithm>
#include <utility>

#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

size_t place_of(Algorithm algorithm) {
  return static_cast<size_t>(std::ranges::find(kPqcAlgorithms, algorithm) - kPqcAlgorithms.begin());
}

}  // namespace

const FetchedPqc* Fetched::pqc_of(Algorithm algorithm) const {
  const size_t place = place_of(algorithm);
  return place < kPqcCount && pqc[place].usable() ? &pqc[place] : nullptr;
}

FetchedPqc& Fetched::slot_of(Algorithm algorithm) { return pqc.at(place_of(algorithm)); }

Fetched Fetched::fetch_all(OSSL_LIB_CTX* context) {
  Fetched all;
  all.aes_256_gcm.reset(EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr));
  all.sha256.reset(EVP_MD_fetch(context, "SHA256", nullptr));
  all.shake256.reset(EVP_MD_fetch(context, "SHAKE256", nullptr));
  all.hkdf.reset(EVP_KDF_fetch(context, "HKDF", nullptr));
  all.pbkdf2.reset(EVP_KDF_fetch(context, "PBKDF2", nullptr));
  for (size_t i = 0; i < kPqcCount; ++i) all.pqc[i] = fetch_pqc(context, kPqcAlgorithms[i], "");
  clear_openssl_errors();
  return all;
}

FetchedPqc fetch_pqc(OSSL_LIB_CTX* context, Algorithm algorithm, std::string properties) {
  const char* name = algorithm_info(algorithm)->name;
  FetchedPqc found;
  found.properties = std::move(properties);
  found.keys.reset(EVP_PKEY_CTX_new_from_name(context, name, found.query()));
  if (is_ml_dsa(algorithm)) {
    found.signature.reset(EVP_SIGNATURE_fetch(context, name, found.query()));
  } else {
    found.kem.reset(EVP_KEM_fetch(context, name, found.query()));
  }
  return found;
}

}  // namespace wvds::crypto
