#include "ca/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace wvds::est_ca {
namespace {

void check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

int bound(int port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(socket, "socket");
  const int on = 1;
  check(::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  check(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return socket;
}

int port_of(int socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  check(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
  return ntohs(address.sin_port);
}

}  // namespace

// Linux keeps a port for a socket that stopped listening only if the port was named: one that it chose is bound again
// by name before the first socket lets it go.
Listener Listener::on_loopback(int port) {
  if (port != 0) return Listener(bound(port));
  const int chosen = bound(0);
  const int socket = bound(port_of(chosen));
  ::close(chosen);
  return Listener(socket);
}

Listener Listener::on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + " is too long");
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  check(socket, "socket");
  ::unlink(path.c_str());
  check(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
  return Listener(socket);
}

Listener::Listener(Listener&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), listening_(std::exchange(other.listening_, false)) {}

Listener::~Listener() {
  if (socket_ >= 0) ::close(socket_);
}

void Listener::listen() {
  check(::listen(socket_, SOMAXCONN), "listen");
  listening_ = true;
}

void Listener::stop() {
  check(::shutdown(socket_, SHUT_RD), "shutdown");
  listening_ = false;
}

int Listener::port() const { return port_of(socket_); }

int Listener::accept() const { return ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC); }

}  // namespace wvds::est_ca
