#include "est_service/linux/tcp_dialer.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/handle.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;
using platform::TimePoint;
using platform::UniqueFd;

int milliseconds_until(TimePoint deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - platform::monotonic_now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

// wait_for blocks until the socket is ready for `events`.
Outcome<> wait_for(int socket, short events, int stop, TimePoint deadline, const std::string& name) {
  for (;;) {
    std::array<pollfd, 2> sets{{{socket, events, 0}, {stop, POLLIN, 0}}};
    const int ready = poll(sets.data(), sets.size(), milliseconds_until(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return failed(FailureKind::kConnectionLost, name + ": " + std::strerror(errno));
    if (sets[1].revents != 0) return failed(FailureKind::kConnectionLost, "the service is stopping");
    if (ready == 0) return failed(FailureKind::kTimeout, name + " does not answer in time");
    return {};
  }
}

class TcpStream : public ByteStream {
 public:
  TcpStream(UniqueFd socket, int stop, std::string name)
      : socket_(std::move(socket)), stop_(stop), name_(std::move(name)) {}

  Outcome<size_t> read(MutableBytes out, TimePoint deadline) override {
    for (;;) {
      const ssize_t got = recv(socket_.get(), out.data(), out.size(), 0);
      if (got >= 0) return static_cast<size_t>(got);
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return lost();
      if (const auto ready = wait_for(socket_.get(), POLLIN, stop_, deadline, name_); !ready)
        return std::unexpected(ready.error());
    }
  }

  Outcome<> write(Bytes bytes, TimePoint deadline) override {
    while (!bytes.empty()) {
      const ssize_t sent = send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent >= 0) {
        bytes = bytes.subspan(static_cast<size_t>(sent));
      } else if (errno == EAGAIN) {
        if (auto ready = wait_for(socket_.get(), POLLOUT, stop_, deadline, name_); !ready) return ready;
      } else if (errno != EINTR) {
        return lost();
      }
    }
    return {};
  }

 private:
  std::unexpected<est::Failure> lost() const {
    return failed(FailureKind::kConnectionLost, name_ + ": " + std::strerror(errno));
  }

  const UniqueFd socket_;
  const int stop_;
  const std::string name_;
};

using Addresses = Handle<addrinfo, freeaddrinfo>;

Outcome<Addresses> resolve(const std::string& host, uint16_t port) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list);
  if (error == 0) return Addresses(list);
  const char* cause = error == EAI_SYSTEM ? std::strerror(errno) : gai_strerror(error);
  return failed(FailureKind::kConnectFailed, "the name " + host + " can't be resolved: " + cause);
}

Outcome<UniqueFd> connect_to(const addrinfo& address, int stop, TimePoint deadline, const std::string& name) {
  UniqueFd socket(::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol));
  const auto refused = [&](int error) {
    return failed(FailureKind::kConnectFailed, name + ": " + std::strerror(error));
  };
  if (!socket) return refused(errno);
  const int at_once = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return socket;
  if (errno != EINPROGRESS) return refused(errno);
  if (const auto ready = wait_for(socket.get(), POLLOUT, stop, deadline, name); !ready)
    return std::unexpected(ready.error());
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return refused(error);
  return socket;
}

// Each address gets an equal share of what is left of the time: one that swallows packets must not use it up.
TimePoint share_of(TimePoint deadline, ptrdiff_t addresses_left) {
  const TimePoint now = platform::monotonic_now();
  return now + (std::max(deadline, now) - now) / std::max<ptrdiff_t>(addresses_left, 1);
}

ptrdiff_t count(const addrinfo* address) {
  ptrdiff_t number = 0;
  for (; address != nullptr; address = address->ai_next) ++number;
  return number;
}

}  // namespace

Result<std::unique_ptr<TcpDialer>> TcpDialer::make() {
  UniqueFd stop(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop) return fail(Status::kInternalError, std::string("no eventfd: ") + std::strerror(errno));
  return std::unique_ptr<TcpDialer>(new TcpDialer(std::move(stop)));
}

Outcome<std::unique_ptr<ByteStream>> TcpDialer::dial(const std::string& host, uint16_t port, TimePoint deadline) {
  const std::string name = host + " port " + std::to_string(port);
  const auto addresses = resolve(host, port);
  if (!addresses) return std::unexpected(addresses.error());
  est::Failure last{FailureKind::kConnectFailed, name + " has no address"};
  for (const addrinfo* address = addresses->get(); address != nullptr; address = address->ai_next) {
    auto socket = connect_to(*address, stop_.get(), share_of(deadline, count(address)), name);
    if (socket) return std::make_unique<TcpStream>(std::move(*socket), stop_.get(), name);
    last = socket.error();
  }
  return std::unexpected(last);
}

void TcpDialer::interrupt() {
  constexpr uint64_t kOne = 1;
  (void)!write(stop_.get(), &kOne, sizeof kOne);
}

}  // namespace wvds::est_service
