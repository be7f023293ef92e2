#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate_key.h"
#include "crypto/library.h"
#include "est/certificate.h"
#include "est/failure.h"

// A certificate authority for tests: keys and certificates made at run time, of any algorithm. What can't fail with
// right arguments ends the program with OpenSSL's reason when it does; what depends on a peer's bytes returns an
// Outcome.
namespace wvds::est::factory {

using crypto::KeyHandle;

struct Validity {
  int64_t not_before = 0;
  int64_t not_after = 0;
};

// make_key knows "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "P-256", "P-384", "ML-KEM-512" to "ML-KEM-1024" and
// "RSA-2048" to "RSA-4096".
KeyHandle make_key(const crypto::Library& library, std::string_view algorithm);

// pkcs8_of and key_pem write a private key: DER and PEM, unencrypted.
std::vector<std::byte> pkcs8_of(const EVP_PKEY* key);
std::string key_pem(const EVP_PKEY* key);

// Ca is a certificate and its key. Its key is shared, so that link certificates can be made for it.
struct Ca {
  Certificate certificate;
  std::shared_ptr<EVP_PKEY> key;
};

// ExtensionText is an extension in the words of openssl's configuration files: {"keyUsage", "critical,keyAgreement"}.
struct ExtensionText {
  std::string name;
  std::string value;
};

struct CaOptions {
  bool is_ca = true;                     // false: without basicConstraints CA, for what must be refused
  bool key_identifiers = true;           // subject and authority key identifiers
  std::vector<ExtensionText> more = {};  // further ones
};

// make_ca makes a key and its CA certificate, self-signed or issued by `signed_by`. `subject` is RFC 4514 text.
Ca make_ca(const crypto::Library& library, std::string_view algorithm, std::string_view subject, Validity validity,
           const Ca* signed_by = nullptr, const CaOptions& options = {});

// make_link certifies the key and subject of `target` by `signer`'s key and name: NewWithOld, OldWithNew (RFC 4210,
// section 4.4) and cross certificates.
Certificate make_link(const crypto::Library& library, const Ca& target, const Ca& signer, Validity validity,
                      const CaOptions& options = {});

struct LeafOptions {
  std::string subject = "CN=device";                    // RFC 4514 text
  std::string alternative_names = "";                   // "DNS:gw-17.example,IP:192.0.2.1"; empty: no extension
  std::string key_usage = "critical,digitalSignature";  // empty: no extension
  std::string extended_key_usage = "clientAuth";        // empty: no extension
  std::vector<ExtensionText> more = {};
};

// issue certifies a public key. issue_for_request certifies what a PKCS#10 request holds, after it verified its
// signature, with the request's subject and its extensions; kRequestRefused otherwise. `statement_key` verifies the
// request in the place of its own key (RFC 9883).
Certificate issue(const crypto::Library& library, const Ca& ca, const EVP_PKEY* key, Validity validity,
                  const LeafOptions& options = {});
Outcome<Certificate> issue_for_request(const crypto::Library& library, const Ca& ca, Bytes request, Validity validity,
                                       const EVP_PKEY* statement_key = nullptr);

// certs_only writes a degenerate SignedData (RFC 7030, section 4.1.3) of certificates in DER, whatever their number.
std::vector<std::byte> certs_only(const std::vector<Certificate>& certificates);

// signed_content writes a SignedData with a signer and, unless it is empty, content: what certs-only must not be.
std::vector<std::byte> signed_content(const Ca& signer, Bytes content);

}  // namespace wvds::est::factory
