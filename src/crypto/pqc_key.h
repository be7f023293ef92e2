#pragma once

#include <vector>

#include "base/algorithm.h"
#include "crypto/fetched.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// What ML-DSA and ML-KEM keys have in common: making, importing, sizes. For crypto/ only.
namespace wvds::crypto {

// PqcFamily picks the functions that tell whether an algorithm is meant ("ML-DSA", is_ml_dsa).
struct PqcFamily {
  const char* name;
  bool (*contains)(Algorithm);
};
inline constexpr PqcFamily kMlDsaFamily{"ML-DSA", is_ml_dsa};
inline constexpr PqcFamily kMlKemFamily{"ML-KEM", is_ml_kem};

// pqc_algorithm returns what to work with: kWrongKeyType for another family's algorithm, kUnsupported when no provider
// serves it.
Result<const FetchedPqc*> pqc_algorithm(const Library& library, const PqcFamily& family, Algorithm algorithm);

// check_heap_room keeps private keys out of the secure heap's reserve (kLimitReached): a full heap would stop the
// random generator as well.
Result<> check_heap_room(const AlgorithmInfo& info);

// generate_pqc_key makes a key pair with the provider's pairwise test. kLimitReached when the secure heap has no room
// for it.
Result<PkeyHandle> generate_pqc_key(const FetchedPqc& fetched, const AlgorithmInfo& info);

// pqc_key_from_seed expands a seed (kInvalidPayload for a wrong length), with the provider's pairwise test.
Result<PkeyHandle> pqc_key_from_seed(const FetchedPqc& fetched, const AlgorithmInfo& info, Bytes seed);

// pqc_public_key imports a raw public key: kInvalidPayload for a wrong length or an encoding that the provider refuses.
Result<PkeyHandle> pqc_public_key(const FetchedPqc& fetched, const AlgorithmInfo& info, Bytes public_key);

// seed_of and public_key_of read a key's parts back; a length that is not the one of FIPS 203 and 204 is kCryptoError.
Result<LockedBytes> seed_of(const EVP_PKEY* key, const AlgorithmInfo& info);
Result<std::vector<std::byte>> public_key_of(const EVP_PKEY* key, const AlgorithmInfo& info);

}  // namespace wvds::crypto
