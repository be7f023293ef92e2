#pragma once

#include <vector>

#include "base/algorithm.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/library.h"

namespace wvds::crypto {

// public_key_from_spki takes the public key of `algorithm`, ML-DSA or ML-KEM, out of a DER SubjectPublicKeyInfo
// (RFC 9881, RFC 9935), as FIPS 203 and 204 encode it. kInvalidPayload when it is not one of `algorithm`, with nothing
// after it.
Result<std::vector<std::byte>> public_key_from_spki(const Library& library, Algorithm algorithm, Bytes der);

}  // namespace wvds::crypto
