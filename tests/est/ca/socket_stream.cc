#include <openssl/bio.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ca/stream.h"

// The part of Stream that knows sockets.
namespace wvds::est_ca {
namespace {

// No peer takes so long unless something hangs.
constexpr timeval kWatchdog{.tv_sec = 300, .tv_usec = 0};

}  // namespace

Stream::Stream(int socket) : socket_(socket) {
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &kWatchdog, sizeof kWatchdog);
  setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &kWatchdog, sizeof kWatchdog);
}

Stream::~Stream() {
  ssl_.reset();
  ::close(socket_);
}

BIO* Stream::make_transport() const { return BIO_new_socket(socket_, BIO_NOCLOSE); }

std::size_t Stream::receive(char* out, std::size_t size) {
  const ssize_t got = ::recv(socket_, out, size, 0);
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::size_t Stream::send(std::string_view bytes) {
  const ssize_t put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return put > 0 ? static_cast<std::size_t>(put) : 0;
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

}  // namespace wvds::est_ca
