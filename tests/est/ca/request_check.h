#pragma once

#include <openssl/x509.h>

#include <cstdint>
#include <string>

#include "ca/authority.h"
#include "ca/ossl.h"

namespace wvds::est_ca {

// RequestCheck is what the CA found out about a PKCS#10 request; `refusal` is empty where nothing speaks against it.
struct RequestCheck {
  Request request;
  std::string refusal;
  std::string subject;
  std::string alternative_names;
  std::string algorithm;
  std::string binding = "absent";     // "bound", "wrong", "absent", "unverifiable"
  std::string possession = "signed";  // by the key itself; "statement" as RFC 9883 has it
};

// Checks the signature, for ML-KEM keys the statement of possession (RFC 9883), and, where the request holds a
// challengePassword, that it is the base64 of `channel_binding` (RFC 7030 section 3.5). `now` judges the statement's
// certificate.
RequestCheck check_request(const Bytes& der, const Bytes& channel_binding, const Authority& authority,
                           std::int64_t now);

// RFC 7030 section 4.2.2: a renewed certificate has the subject and the alternative names of the one before. Empty
// where that holds, else what differs.
std::string difference_from(const X509* certificate, const RequestCheck& check);

// Whether the certificate was issued by the authority and is valid at `now`.
bool was_issued(const Authority& authority, X509* certificate, std::int64_t now);

}  // namespace wvds::est_ca
