#pragma once

#include <openssl/core.h>

namespace wvds::ossl_provider {

// mldsa_functions is the signature implementation of ML-DSA; static storage.
const OSSL_DISPATCH* mldsa_functions(bool fips);

}  // namespace wvds::ossl_provider
