#pragma once

#include "crypto/library.h"

namespace wvds::crypto {

// check_algorithm does everything that the service will do with an algorithm of `library`, through the same functions,
// and compares each result with that of `reference`, OpenSSL's own implementation: keys from seeds, public keys,
// deterministic signatures and shared secrets must be the same bytes, and each side must accept what the other made. A
// provider that lacks a function, or ignores a parameter, is found here and not by a client. kCryptoError; the detail
// says what did not work.
Result<> check_algorithm(const Library& library, const Library& reference, Algorithm algorithm);

}  // namespace wvds::crypto
