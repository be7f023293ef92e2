#pragma once

#include <string>
#include <vector>

#include "ca/certificate.h"
#include "ca/ossl.h"

namespace wvds::est_ca {

// certs_only is a SignedData without signers (RFC 7030 section 4.1.3).
Bytes certs_only(const std::vector<Certificate>& certificates);

// What a misbehaving server sends instead; `right` is what it should hold. Kinds: "with-key" (a private key as
// content), "signed-content" (content and a signer), "thousand" (certificates), "empty", "twice" (each), "backwards",
// "data" (no SignedData), "truncated", "trailing" (bytes behind it), "not-der", "with-crl". An empty kind: certs_only.
Bytes faulty_certs_only(const std::string& kind, const std::vector<Certificate>& right, const Issuer& issuer);

// base64 as servers send it: "lines" (64, LF), "crlf" (76, CRLF), "single" (one line without an end), "bad" (a
// character that does not belong), "padding" (too much of it), "none" (DER as it is).
std::string transfer_encoded(const Bytes& der, const std::string& style);

// RFC 7030 section 4.4.2: the private key and the certificate as multipart/mixed.
struct Multipart {
  std::string content_type;
  std::string body;
};
Multipart key_and_certificate(const Bytes& private_key, const Bytes& certificates, const std::string& style,
                              bool encoding_header);

}  // namespace wvds::est_ca
