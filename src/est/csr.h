#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crypto/library.h"
#include "est/certificate.h"
#include "est/failure.h"
#include "est/subject.h"

namespace wvds::est {

// ExtensionValue is an extension as it goes into the request: the DER that its extnValue holds.
struct ExtensionValue {
  std::string oid;
  bool critical = false;
  std::vector<std::byte> value;
};

// CsrSpec says what a certificate is asked for. The defaults are those of a device that authenticates itself by TLS:
// RFC 7030 demands neither extension, but re-enrolment needs a certificate for TLS clients (section 3.3.2), and a CA
// that copies what is asked for then issues one that can do just that.
struct CsrSpec {
  std::string key_type;  // as crypto::key_type_name ("ML-DSA-65"); empty: not compared with the key
  Subject subject;
  Names names;
  std::vector<std::string> key_usages{"digitalSignature"};     // names of RFC 5280, section 4.2.1.3; none: not asked
  std::vector<std::string> extended_key_usages{"clientAuth"};  // OpenSSL's names or numbers; none: not asked
  std::vector<ExtensionValue> extensions;  // further ones; with the number of one of the above, in its place

  // Renewal: RFC 7030, section 4.2.2 wants subject and alternative names to be identical to the certificate's. They
  // are then taken from it, byte for byte, instead of `subject` and `names`.
  std::optional<Certificate> renews;

  // RFC 7030, section 3.5: the request is linked to the TLS session by tls-unique, or by tls-exporter (RFC 9266) in
  // TLS 1.3, in base64. wants_binding is set by the server's CSR attributes; without a value the request is not made.
  bool wants_binding = false;
  std::string challenge_password;
};

// make_csr builds and signs a PKCS#10 request (RFC 2986), in DER, and verifies its own signature with OpenSSL's own
// implementation before it hands it out. Blocks as long as the key's provider takes to sign. kConfiguration when the
// key can't sign (make_kem_csr is for those), is not of spec.key_type, or a value can't be encoded; kKeyService when
// the signature was not made or is wrong.
Outcome<std::vector<std::byte>> make_csr(const crypto::Library& library, const CsrSpec& spec, EVP_PKEY* key);

// Statement is what stands in for the signature of a key that can't sign (RFC 9883): the device's certificate for
// signatures, and its key.
struct Statement {
  const Certificate& certificate;
  EVP_PKEY* key;
};

// make_kem_csr builds a request for a key that only establishes secrets (`spki`, DER, such as ML-KEM's), signed by the
// statement's key, with a privateKeyPossessionStatement that names and holds its certificate. Without subject and
// names in `spec` the statement's are taken, as RFC 9883 wants them to be the same. Key usage is
// keyEncipherment (RFC 9935, section 5) and no extended key usage is asked for, whatever `spec` has. Failures as for
// make_csr; a key that can sign is kConfiguration (RFC 9883: a statement must not be used for it).
Outcome<std::vector<std::byte>> make_kem_csr(const crypto::Library& library, const CsrSpec& spec, Bytes spki,
                                             const Statement& statement);

}  // namespace wvds::est
