#pragma once

#include <openssl/core.h>

namespace wvds::ossl_provider {

// ecdsa_functions is the signature implementation of EC keys; static storage.
const OSSL_DISPATCH* ecdsa_functions(bool fips);

}  // namespace wvds::ossl_provider
