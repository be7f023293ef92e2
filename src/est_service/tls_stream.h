#pragma once

#include <openssl/types.h>

#include <memory>
#include <string>
#include <vector>

#include "crypto/library.h"
#include "est_service/byte_stream.h"

namespace wvds::est_service {

// TlsSettings: the objects that it points to outlive the stream.
struct TlsSettings {
  const crypto::Library& library;
  std::string host;              // the name, or the IP address, that the server's certificate must be for
  bool tls12_allowed = false;    // otherwise TLS 1.3 only
  bool server_unknown = false;   // nobody vouches for the server yet: what it says is checked by other means
  std::vector<X509*> anchors{};  // that may vouch for the server
  int64_t now = 0;               // Unix seconds: the server's certificate is judged at this time
  EVP_PKEY* key = nullptr;       // with `chain`, the leaf first: how the client authenticates, if it is asked to
  std::vector<X509*> chain{};
};

// TlsStream is TLS (RFC 8446; RFC 5246 where allowed) over a byte stream, as client. One thread.
class TlsStream {
 public:
  // connect makes the handshake. The groups X25519MLKEM768 and SecP256r1MLKEM768 are offered first. Failures say what
  // was wrong with whom: kTlsVersion, kUnknownCa, kNameMismatch, kServerExpired, kMissingEku, kCredentialRejected,
  // kCredentialExpired, kTlsFailed, and those of the transport. `transport` outlives the stream.
  static est::Outcome<std::unique_ptr<TlsStream>> connect(const TlsSettings& settings, ByteStream& transport,
                                                          platform::TimePoint deadline);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  // read returns 0 after the server's close_notify. An end without one is kConnectionLost: the answer may be cut. With
  // TLS 1.3 a server that does not accept the client's certificate says so here (RFC 8446, section 4.4.2).
  est::Outcome<size_t> read(MutableBytes out, platform::TimePoint deadline);
  est::Outcome<> write(Bytes bytes, platform::TimePoint deadline);

  // binding is what links a request to this connection: tls-unique (RFC 5929) with TLS 1.2, tls-exporter (RFC 9266)
  // with TLS 1.3. Empty when there is none.
  std::vector<std::byte> binding() const;

  // summary names version, group and cipher for the log: "TLSv1.3 X25519MLKEM768 TLS_AES_256_GCM_SHA384".
  std::string summary() const;

 private:
  struct Parts;
  explicit TlsStream(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace wvds::est_service
