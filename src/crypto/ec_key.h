#pragma once

#include <vector>

#include "base/algorithm.h"
#include "crypto/fetched.h"
#include "crypto/library.h"
#include "crypto/locked_secret.h"

// Keys on P-256 and P-384: making, importing, checking. For crypto/ only.
namespace wvds::crypto {

// ecdsa_algorithm returns what to work with: kWrongKeyType for another family's algorithm, kUnsupported when no
// provider serves ECDSA.
Result<const FetchedEcdsa*> ecdsa_algorithm(const Library& library, Algorithm algorithm);

// check_ec_heap_room keeps private keys out of the secure heap's reserve: kLimitReached.
Result<> check_ec_heap_room(const AlgorithmInfo& info);

// generate_ec_key makes a key pair and holds its halves against each other.
Result<PkeyHandle> generate_ec_key(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info);

// ec_key_from_scalar computes the public key of a big-endian scalar and holds both against each other: kInvalidPayload
// for a wrong length and for what is not between 1 and the order less 1.
Result<PkeyHandle> ec_key_from_scalar(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info,
                                      Bytes scalar);

// ec_public_key imports an uncompressed point: kInvalidPayload for anything else, and for what is not on the curve.
Result<PkeyHandle> ec_public_key(const Library& library, const FetchedEcdsa& fetched, const AlgorithmInfo& info,
                                 Bytes point);

// is_pair tells whether a key's halves are in range and belong to each other; false where one is missing.
bool is_pair(const Library& library, EVP_PKEY* key);

// is_on_named_curve tells whether a decoded key names the algorithm's curve. False where its parameters stand in place
// of the name, even those of the same curve.
bool is_on_named_curve(const EVP_PKEY* key, const AlgorithmInfo& info);

// scalar_of and point_of read a key's parts back, of the lengths that the curve fixes: kCryptoError otherwise.
Result<LockedBytes> scalar_of(const EVP_PKEY* key, const AlgorithmInfo& info);
Result<std::vector<std::byte>> point_of(const EVP_PKEY* key, const AlgorithmInfo& info);

}  // namespace wvds::crypto
