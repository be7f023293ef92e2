#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "ca/ossl.h"

namespace wvds::est_ca {

using SslContext = std::shared_ptr<SSL_CTX>;
using Ssl = Owned<SSL, SSL_free>;

// Stream is one connection, with TLS or without. Blocking; ended from another thread by shutting the socket down.
class Stream {
 public:
  // Takes over the socket.
  explicit Stream(int socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The TLS handshake as a server. On failure the reason.
  std::string accept_tls(const SslContext& context);

  // Bytes read, 0 at the end or after an error.
  std::size_t read(char* out, std::size_t size);
  bool write(std::string_view bytes);
  // Ends in the regular way (close_notify), without one as if the connection had been cut, or with a reset.
  void close();
  void cut();
  void reset();
  // Waits until the peer has closed, and drops what it sends.
  void wait_for_close();
  // Waits that long; false once the peer is gone.
  bool pause(int milliseconds);
  int socket() const { return socket_; }

  bool is_tls() const { return ssl_ != nullptr; }
  std::string version() const;
  std::string group() const;
  Certificate peer_certificate() const;
  // TLS 1.3: tls-exporter (RFC 9266); TLS 1.2: tls-unique (RFC 5929). Empty without TLS.
  Bytes channel_binding() const;

 private:
  int socket_;
  Ssl ssl_;
};

}  // namespace wvds::est_ca
