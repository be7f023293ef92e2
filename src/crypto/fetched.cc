#include "crypto/fetched.h"

#include <algorithm>
#include <utility>

#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

size_t place_of(Algorithm algorithm) {
  return static_cast<size_t>(std::ranges::find(kPqcAlgorithms, algorithm) - kPqcAlgorithms.begin());
}

FetchedEcdsa fetch_ecdsa(OSSL_LIB_CTX* context) {
  constexpr std::array kNames{"ECDSA-SHA2-256", "ECDSA-SHA2-384", "ECDSA-SHA2-512"};
  static_assert(kNames.size() == kEcdsaHashes.size());
  FetchedEcdsa found;
  found.keys.reset(EVP_PKEY_CTX_new_from_name(context, "EC", nullptr));
  for (size_t i = 0; i < kNames.size(); ++i)
    found.signatures[i].reset(EVP_SIGNATURE_fetch(context, kNames[i], nullptr));
  return found;
}

}  // namespace

bool FetchedEcdsa::usable() const {
  return keys && std::ranges::all_of(signatures, [](const SignatureHandle& signature) { return signature != nullptr; });
}

EVP_SIGNATURE* FetchedEcdsa::signature_of(Hash hash) const {
  return signatures.at(static_cast<size_t>(std::ranges::find(kEcdsaHashes, hash) - kEcdsaHashes.begin())).get();
}

const FetchedPqc* Fetched::pqc_of(Algorithm algorithm) const {
  const size_t place = place_of(algorithm);
  return place < kPqcCount && pqc[place].usable() ? &pqc[place] : nullptr;
}

FetchedPqc& Fetched::slot_of(Algorithm algorithm) { return pqc.at(place_of(algorithm)); }

Fetched Fetched::fetch_all(OSSL_LIB_CTX* context) {
  Fetched all;
  all.aes_256_gcm.reset(EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr));
  all.sha256.reset(EVP_MD_fetch(context, "SHA256", nullptr));
  all.sha384.reset(EVP_MD_fetch(context, "SHA384", nullptr));
  all.sha512.reset(EVP_MD_fetch(context, "SHA512", nullptr));
  all.shake256.reset(EVP_MD_fetch(context, "SHAKE256", nullptr));
  all.md5.reset(EVP_MD_fetch(context, "MD5", nullptr));
  all.hkdf.reset(EVP_KDF_fetch(context, "HKDF", nullptr));
  all.pbkdf2.reset(EVP_KDF_fetch(context, "PBKDF2", nullptr));
  for (size_t i = 0; i < kPqcCount; ++i) all.pqc[i] = fetch_pqc(context, kPqcAlgorithms[i], "");
  all.ecdsa = fetch_ecdsa(context);
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
