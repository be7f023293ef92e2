#include "crypto/fetched.h"

#include <algorithm>

#include "crypto/openssl_error.h"

namespace wvds::crypto {
namespace {

constexpr std::array kPqcAlgorithms{Algorithm::kMlDsa44,  Algorithm::kMlDsa65,  Algorithm::kMlDsa87,
                                    Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024};
static_assert(kPqcAlgorithms.size() == Fetched::kPqcCount);

FetchedPqc fetch_pqc(OSSL_LIB_CTX* context, Algorithm algorithm) {
  const char* name = algorithm_info(algorithm)->name;
  FetchedPqc found;
  found.keys.reset(EVP_PKEY_CTX_new_from_name(context, name, nullptr));
  if (is_ml_dsa(algorithm)) {
    found.signature.reset(EVP_SIGNATURE_fetch(context, name, nullptr));
  } else {
    found.kem.reset(EVP_KEM_fetch(context, name, nullptr));
  }
  return found;
}

}  // namespace

const FetchedPqc* Fetched::pqc_of(Algorithm algorithm) const {
  const auto* found = std::ranges::find(kPqcAlgorithms, algorithm);
  if (found == kPqcAlgorithms.end()) return nullptr;
  const FetchedPqc& entry = pqc[static_cast<size_t>(found - kPqcAlgorithms.begin())];
  return entry.usable() ? &entry : nullptr;
}

Fetched Fetched::fetch_all(OSSL_LIB_CTX* context) {
  Fetched all;
  all.aes_256_gcm.reset(EVP_CIPHER_fetch(context, "AES-256-GCM", nullptr));
  all.sha256.reset(EVP_MD_fetch(context, "SHA256", nullptr));
  all.hkdf.reset(EVP_KDF_fetch(context, "HKDF", nullptr));
  all.pbkdf2.reset(EVP_KDF_fetch(context, "PBKDF2", nullptr));
  for (size_t i = 0; i < kPqcCount; ++i) all.pqc[i] = fetch_pqc(context, kPqcAlgorithms[i]);
  clear_openssl_errors();
  return all;
}

}  // namespace wvds::crypto
