#include "ca/stream.h"

#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wvds::est_ca {
namespace {

// No peer takes so long unless something hangs.
constexpr timeval kWatchdog{.tv_sec = 300, .tv_usec = 0};

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

Stream::Stream(int socket) : socket_(socket) {
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kWatchdog, sizeof kWatchdog);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kWatchdog, sizeof kWatchdog);
}

Stream::~Stream() {
  ssl_.reset();
  ::close(socket_);
}

std::string Stream::accept_tls(const SslContext& context) {
  Ssl ssl(ensure(SSL_new(context.get()), "SSL"));
  ensure(SSL_set_fd(ssl.get(), socket_) == 1, "SSL");
  if (SSL_accept(ssl.get()) != 1) return last_error();
  ssl_ = std::move(ssl);
  return {};
}

std::size_t Stream::read(char* out, std::size_t size) {
  ssize_t got = 0;
  if (ssl_) {
    got = SSL_read(ssl_.get(), out, static_cast<int>(size));
    ERR_clear_error();
  } else {
    got = ::recv(socket_, out, size, 0);
  }
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

bool Stream::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t size = std::min<std::size_t>(bytes.size(), 1 << 16);
    const ssize_t put = ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(size))
                             : ::send(socket_, bytes.data(), size, MSG_NOSIGNAL);
    ERR_clear_error();
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

// What the peer has sent and nobody read would turn the end into a reset that can overtake the answer.
void Stream::close() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  cut();
}

void Stream::cut() {
  ::shutdown(socket_, SHUT_WR);
  wait_for_close();
}

void Stream::reset() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ssl_.reset();
}

void Stream::wait_for_close() {
  char dropped[4096];
  while (::recv(socket_, dropped, sizeof dropped, 0) > 0) {
  }
}

bool Stream::pause(int milliseconds) {
  pollfd peer{.fd = socket_, .events = POLLRDHUP, .revents = 0};
  return ::poll(&peer, 1, milliseconds) == 0;
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
