#pragma once

#include <array>
#include <string>

#include "base/algorithm.h"
#include "crypto/openssl_handles.h"

namespace wvds::crypto {

inline constexpr std::array kPqcAlgorithms{Algorithm::kMlDsa44,  Algorithm::kMlDsa65,  Algorithm::kMlDsa87,
                                           Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024};

// FetchedPqc is what one parameter set of ML-DSA or ML-KEM needs. `keys` is a context of the key type only: operations
// duplicate it, which costs no look-up, and never use it itself, so that threads may share it.
struct FetchedPqc {
  PkeyCtxHandle keys;
  SignatureHandle signature;  // ML-DSA
  KemHandle kem;              // ML-KEM
  std::string properties;     // under which these were fetched; empty: the context's default ones

  // query is what contexts of keys must be made with: what OpenSSL looks up on its own then comes from the same
  // provider.
  const char* query() const { return properties.empty() ? nullptr : properties.c_str(); }
  bool usable() const { return keys && (signature || kem); }
};

inline constexpr std::array kEcdsaHashes{Hash::kSha256, Hash::kSha384, Hash::kSha512};

// FetchedEcdsa is what ECDSA needs, whatever the curve. `keys` is for duplicating only, as that of FetchedPqc.
struct FetchedEcdsa {
  PkeyCtxHandle keys;
  std::array<SignatureHandle, kEcdsaHashes.size()> signatures;  // with each hash, in the order of kEcdsaHashes

  bool usable() const;

  // signature_of must get a hash.
  EVP_SIGNATURE* signature_of(Hash hash) const;
};

// Fetched holds each algorithm of the product, looked up once. Immutable after load, so shared by all threads. An
// algorithm that no provider serves is null.
struct Fetched {
  static constexpr size_t kPqcCount = kPqcAlgorithms.size();

  CipherHandle aes_256_gcm;
  MdHandle sha256;
  MdHandle sha384;
  MdHandle sha512;
  MdHandle shake256;
  MdHandle md5;  // null in FIPS mode
  KdfHandle hkdf;
  KdfHandle pbkdf2;
  std::array<FetchedPqc, kPqcCount> pqc;
  FetchedEcdsa ecdsa;

  FetchedPqc& slot_of(Algorithm algorithm);  // must be ML-DSA or ML-KEM

  // pqc_of returns null for an algorithm that is neither ML-DSA nor ML-KEM or that no provider serves.
  const FetchedPqc* pqc_of(Algorithm algorithm) const;

  // fetch_all looks everything up in `context` under its default properties; what is missing stays null.
  static Fetched fetch_all(OSSL_LIB_CTX* context);
};

// fetch_pqc looks up what an ML-DSA or ML-KEM parameter set needs; what is missing is null.
FetchedPqc fetch_pqc(OSSL_LIB_CTX* context, Algorithm algorithm, std::string properties);

}  // namespace wvds::crypto
