#pragma once

#include <vector>

#include "crypto/library.h"
#include "est/certificate.h"
#include "est/failure.h"

namespace wvds::est {

inline constexpr size_t kMaxCertsOnlyBytes = 256 << 10;

// parse_certs_only reads the certificates of /cacerts, /simpleenroll and /simplereenroll: a SignedData (RFC 5652,
// section 5.1) without signers and without content (RFC 7030, sections 4.1.3 and 4.2.3; RFC 5272, section 4.1), as DER
// or BER, with nothing after it. 1 to kMaxCertificates certificates, in the order of the encoding, which is not that of
// a chain. Nothing about them is trusted yet. Revocation lists are passed over. kBadPkcs7, or kTooLarge over
// kMaxCertsOnlyBytes or too many certificates.
Outcome<std::vector<Certificate>> parse_certs_only(const crypto::Library& library, Bytes der);

}  // namespace wvds::est
