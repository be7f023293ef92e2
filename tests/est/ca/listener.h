#pragma once

#include <string>

namespace wvds::est_ca {

// Listener is a listening socket whose address stays reserved while it does not listen: peers are refused then, and
// nobody else gets the port.
class Listener {
 public:
  static Listener on_loopback(int port);  // 0: any
  static Listener on_path(const std::string& path);
  ~Listener();
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;

  void listen();
  void stop();
  bool listening() const { return listening_; }
  int socket() const { return socket_; }
  int port() const;
  // The next connection, or -1.
  int accept() const;

 private:
  explicit Listener(int socket) : socket_(socket) {}

  int socket_;
  bool listening_ = false;
};

}  // namespace wvds::est_ca
