#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string>

#include "ca/ossl.h"

namespace wvds::est_ca {

// Issuer is a certificate and the key that signs in its name.
struct Issuer {
  Certificate certificate;
  Key key;
};

// Profile says what a certificate holds. Times are Unix seconds. The texts of extensions are OpenSSL's
// ("critical,CA:TRUE"); an empty one leaves the extension out.
struct Profile {
  const X509_NAME* subject = nullptr;
  EVP_PKEY* key = nullptr;
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;
  std::string basic_constraints = "critical,CA:FALSE";
  std::string key_usage = "critical,digitalSignature";
  std::string extended_key_usage = {};
  std::string alternative_names = {};
};

Name make_name(const std::string& common_name);

// The issuer's certificate is null for a self-signed one. Random serial numbers of 16 bytes.
Certificate make_certificate(const Profile& profile, const Issuer& issuer);

// A CA certificate for `key`, named `subject`.
Certificate make_ca_certificate(const X509_NAME* subject, EVP_PKEY* key, const Issuer& issuer, std::int64_t not_before,
                                std::int64_t not_after);

// The same certificate with a signature that is not right.
Certificate break_signature(const Certificate& certificate);

}  // namespace wvds::est_ca
