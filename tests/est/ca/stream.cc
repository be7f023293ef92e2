#include "ca/stream.h"

#include <openssl/err.h>

namespace wvds::est_ca {
namespace {

std::string last_error() {
  char text[256] = "the connection ended";
  if (const unsigned long error = ERR_peek_last_error()) ERR_error_string_n(error, text, sizeof text);
  ERR_clear_error();
  return text;
}

// RFC 9266 section 2: this label, no context, 32 bytes.
Bytes tls_exporter(SSL* ssl) {
  constexpr std::string_view kLabel = "EXPORTER-Channel-Binding";
  Bytes out(32);
  ensure(SSL_export_keying_material(ssl, out.data(), out.size(), kLabel.data(), kLabel.size(), nullptr, 0, 0) == 1,
         "exporter");
  return out;
}

// RFC 5929 section 3: the first Finished message of the handshake, which is the client's unless a session was resumed.
Bytes tls_unique(SSL* ssl) {
  Bytes out(EVP_MAX_MD_SIZE);
  out.resize(SSL_session_reused(ssl) ? SSL_get_finished(ssl, out.data(), out.size())
                                     : SSL_get_peer_finished(ssl, out.data(), out.size()));
  return out;
}

}  // namespace

std::string Stream::accept_tls(const SslContext& context, std::int64_t now) {
  Ssl ssl(ensure(SSL_new(context.get()), "SSL"));
  BIO* transport = ensure(make_transport(), "transport");
  SSL_set_bio(ssl.get(), transport, transport);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl.get()), now);
  if (SSL_accept(ssl.get()) != 1) return last_error();
  ssl_ = std::move(ssl);
  return {};
}

std::size_t Stream::read(char* out, std::size_t size) {
  if (!ssl_) return receive(out, size);
  const int got = SSL_read(ssl_.get(), out, static_cast<int>(size));
  ERR_clear_error();
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool Stream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, 1 << 16);
    std::size_t put = 0;
    if (!ssl_) put = send(part);
    if (ssl_ && SSL_write_ex(ssl_.get(), part.data(), part.size(), &put) != 1) put = 0;
    ERR_clear_error();
    if (put == 0) return false;
    bytes.remove_prefix(put);
  }
  return true;
}

// What the peer has sent and nobody read would turn the end into a reset that can overtake the answer.
void Stream::close() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  cut();
}

std::string Stream::version() const { return ssl_ ? SSL_get_version(ssl_.get()) : ""; }

std::string Stream::group() const {
  const char* name = ssl_ ? SSL_get0_group_name(ssl_.get()) : nullptr;
  return name ? name : "";
}

Certificate Stream::peer_certificate() const { return ssl_ ? own(SSL_get1_peer_certificate(ssl_.get())) : nullptr; }

Bytes Stream::channel_binding() const {
  if (!ssl_) return {};
  return SSL_version(ssl_.get()) == TLS1_3_VERSION ? tls_exporter(ssl_.get()) : tls_unique(ssl_.get());
}

}  // namespace wvds::est_ca
