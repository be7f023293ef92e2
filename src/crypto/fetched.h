#pragma once

#include <array>

#include "base/algorithm.h"
#include "crypto/openssl_handles.h"

namespace wvds::crypto {

// FetchedPqc is what one parameter set of ML-DSA or ML-KEM needs. `keys` is a context of the key type only: operations
// duplicate it, which costs no look-up, and never use it itself, so that threads may share it.
struct FetchedPqc {
  PkeyCtxHandle keys;
  SignatureHandle signature;  // ML-DSA
  KemHandle kem;              // ML-KEM

  bool usable() const { return keys && (signature || kem); }
};

// Fetched holds each algorithm of the product, looked up once. Immutable after load, so shared by all threads. An
// algorithm that no provider serves is null.
struct Fetched {
  static constexpr size_t kPqcCount = 6;

  CipherHandle aes_256_gcm;
  MdHandle sha256;
  KdfHandle hkdf;
  KdfHandle pbkdf2;
  std::array<FetchedPqc, kPqcCount> pqc;

  // pqc_of returns null for an algorithm that is neither ML-DSA nor ML-KEM or that no provider serves.
  const FetchedPqc* pqc_of(Algorithm algorithm) const;

  // fetch_all looks everything up in `context` under its default properties; what is missing stays null.
  static Fetched fetch_all(OSSL_LIB_CTX* context);
};

}  // namespace wvds::crypto
