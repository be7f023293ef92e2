#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/wiped.h"
#include "crypto/certificate_key.h"
#include "est/certificate.h"
#include "est/failure.h"
#include "est/operation.h"

namespace wvds::est_service {

// Identity is a certificate with its chain, the leaf first, and the key to it.
struct Identity {
  std::vector<est::Certificate> chain;
  crypto::KeyHandle key;
};

// Access says whom to trust and what to show.
struct Access {
  std::vector<est::Certificate> anchors{};
  bool server_unknown = false;         // nobody vouches for the server: for /cacerts only (RFC 7030, section 4.1.1)
  const Identity* identity = nullptr;  // for TLS, where there is one
  bool* password_used = nullptr;       // null: not to be used; else the configuration's is, if the server asks for it
  int64_t now = 0;                     // Unix seconds
};

// may_be_the_credential: the failure says, or hides, that the server does not accept what it was shown. A server may
// just close the connection (with TLS 1.3 only after the client's handshake is done).
inline bool may_be_the_credential(est::FailureKind kind) {
  using enum est::FailureKind;
  return kind == kCredentialRejected || kind == kCredentialExpired || kind == kConnectionLost || kind == kTlsFailed;
}

// Later: the server wants to be asked again (RFC 7030, section 4.2.3).
struct Later {
  std::optional<int64_t> seconds;  // where it says when
  bool accepted = false;           // it works on the request; otherwise it has too much to do
  std::string detail;
};

// ServerMade is what /serverkeygen answers.
struct ServerMade {
  WipedBuffer certificates;  // certs-only
  WipedBuffer key;           // PKCS #8
};

// Issued is certs-only, not yet looked at.
struct Issued {
  WipedBuffer certificates;
};

using EnrollAnswer = std::variant<Issued, ServerMade, Later>;

// MakeRequest makes the certificate request for one TLS connection, with the value that links it to the connection
// (RFC 7030, section 3.5), and is called again for each further connection that the request needs.
using MakeRequest = std::function<est::Outcome<std::vector<std::byte>>(Bytes binding)>;

// Server is the EST server as the rest of est_service sees it. All functions block, at the longest for the
// configuration's timeout_s each. One thread.
class Server {
 public:
  virtual ~Server() = default;

  // ca_certificates asks /cacerts: certs-only, not yet looked at.
  virtual est::Outcome<WipedBuffer> ca_certificates(const Access& access) = 0;

  // csr_attributes asks /csrattrs: DER, nothing where the server demands nothing.
  virtual est::Outcome<std::optional<WipedBuffer>> csr_attributes(const Access& access) = 0;

  // enroll sends a request by /simpleenroll, /simplereenroll or /serverkeygen.
  virtual est::Outcome<EnrollAnswer> enroll(const Access& access, est::Operation operation,
                                            const MakeRequest& make_request) = 0;

  // renewal_info asks when the server wants a certificate to be renewed: JSON. kNotOffered where it has no such hint.
  // `certificate_id` is that of est/renewal_info.h.
  virtual est::Outcome<WipedBuffer> renewal_info(const Access& access, const std::string& certificate_id) = 0;
};

}  // namespace wvds::est_service
