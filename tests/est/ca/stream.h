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
// What carries the bytes is apart (socket_stream.cc), so that a program without sockets can bring its own: `socket` is
// then the number that it gives a connection.
class Stream {
 public:
  // Takes over the socket.
  explicit Stream(int socket);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The TLS handshake as a server; the client's certificate is judged at `now`. On failure the reason.
  std::string accept_tls(const SslContext& context, std::int64_t now);

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
  BIO* make_transport() const;
  std::size_t receive(char* out, std::size_t size);
  std::size_t send(std::string_view bytes);

  int socket_;
  Ssl ssl_;
};

}  // namespace wvds::est_ca
