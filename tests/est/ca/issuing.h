#pragma once

#include <string>

#include "ca/authority.h"
#include "ca/ossl.h"
#include "ca/settings.h"

namespace wvds::est_ca {

// issue makes the certificate for a checked request. `fault` is one of "other-key", "expired", "not-yet-valid",
// "wrong-subject", "wrong-names", "no-names", "ca", "no-usage", "wrong-usage" (extended key usage), "wrong-key-usage",
// "untrusted" (a CA of the same name with another key), "bad-signature"; or empty for a right one.
Certificate issue(Authority& authority, X509_REQ* request, EVP_PKEY* key, const Json& settings, std::int64_t now,
                  const std::string& fault);

// The certificate of the TLS server, by settings "server".
Certificate make_server_certificate(const Authority& authority, EVP_PKEY* key, const Json& settings, std::int64_t now);

}  // namespace wvds::est_ca
