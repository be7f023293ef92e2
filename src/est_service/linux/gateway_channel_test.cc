// The gateway over the real channel, used through the C library, and with the example of a relay as a process.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "channel/listen.h"
#include "est_service/gateway.h"
#include "platform/linux/unique_fd.h"
#include "protocol/operations.h"
#include "wvds_crypto.h"

namespace wvds::est_service {
namespace {

using platform::UniqueFd;
using std::chrono::hours;

constexpr uint32_t kHourMs = 3'600'000;

platform::TimePoint in(platform::Duration duration) { return platform::monotonic_now() + duration; }

// Served is a gateway with a socket in a folder of its own, until it is stopped.
class Served {
 public:
  Served() {
    EXPECT_NE(mkdtemp(folder_), nullptr);
    config_.clients.resize(1);
    config_.clients[0].name = "tester";
    config_.clients[0].uid = getuid();
    config_.clients[0].limits.sessions = 64;
    config_.clients[0].rate_limit.requests_per_second = 0;
    for (const auto& info : protocol::operations()) config_.clients[0].operations.emplace_back(info.config_name);
    config_.est.emplace();
    config_.est->certificates.resize(1);
    gateway_.emplace(config_, board, &relay);
    channel::ListenOptions options;
    options.address = address();
    options.epoch = 1;
    auto endpoint = channel::listen(options, *gateway_);
    EXPECT_TRUE(endpoint);
    endpoint_ = std::move(*endpoint);
    thread_ = std::jthread([this] { EXPECT_TRUE(endpoint_->run()); });
  }

  ~Served() {
    stop();
    endpoint_.reset();
    unlink(address().c_str());
    unlink((address() + ".lock").c_str());
    EXPECT_EQ(rmdir(folder_), 0);
  }

  void stop() {
    if (!thread_.joinable()) return;
    gateway_->stop();
    endpoint_->stop();
    thread_.join();
  }

  std::string address() const { return std::string(folder_) + "/est.sock"; }

  Board board;
  RelayHub relay;

 private:
  char folder_[32] = "/tmp/wvds-gateway-XXXXXX";
  config::ServiceConfig config_;
  std::optional<Gateway> gateway_;
  std::unique_ptr<channel::Endpoint> endpoint_;
  std::jthread thread_;
};

class Connection {
 public:
  explicit Connection(const Served& served) {
    EXPECT_EQ(wvds_connect(&session_, served.address().c_str(), 60'000), WVDS_SUCCESS);
    EXPECT_EQ(wvds_set_timeout(session_, 60'000), WVDS_SUCCESS);
  }
  ~Connection() { wvds_disconnect(session_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  wvds_session* get() const { return session_; }

 private:
  wvds_session* session_ = nullptr;
};

Snapshot some_snapshot(uint64_t attempts) {
  Snapshot out;
  out.attempts = attempts;
  out.certificates.resize(1);
  out.certificates[0].name = "device";
  out.certificates[0].key_id = 17;
  for (size_t i = 0; out.certificates[0].chain_pem.size() < 300'000; ++i)
    out.certificates[0].chain_pem += std::to_string(i + attempts) + "\n";
  return out;
}

TEST(GatewayChannel, ServesTheClientLibrary) {
  Served served;
  const Snapshot snapshot = some_snapshot(7);
  served.board.publish(snapshot);
  const Connection client(served);
  wvds_est_state state;
  ASSERT_EQ(wvds_est_status(client.get(), &state), WVDS_SUCCESS);
  EXPECT_EQ(state.num_attempts, 7u);
  EXPECT_STREQ(state.certificates[0].name, "device");
  std::string pem(WVDS_EST_MAX_PEM_SIZE, '\0');
  size_t length = 0;
  uint32_t key_id = 0;
  ASSERT_EQ(wvds_est_certificate(client.get(), pem.data(), &length, pem.size(), &key_id, "device", WVDS_EST_CURRENT),
            WVDS_SUCCESS);
  EXPECT_EQ(pem.substr(0, length), snapshot.certificates[0].chain_pem);
  EXPECT_EQ(key_id, 17u);
  EXPECT_EQ(wvds_est_ca_certificates(client.get(), pem.data(), &length, pem.size()), WVDS_CERTIFICATE_NOT_FOUND);
  EXPECT_EQ(wvds_est_renew(client.get(), "device", WVDS_EST_RENEW_NOW), WVDS_SUCCESS);
  EXPECT_EQ(wvds_est_renew(client.get(), "other", 0), WVDS_CERTIFICATE_NOT_FOUND);
  EXPECT_EQ(served.board.take_wishes(), (std::set<Wish>{{"device", true}}));
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
  wvds_service_state other;
  EXPECT_EQ(wvds_status_get(client.get(), &other), WVDS_INVALID_TYPE);
}

TEST(GatewayChannel, HandsOutWholeChainsWhileTheyChange) {
  Served served;
  served.board.publish(some_snapshot(1));
  std::atomic<bool> done{false};
  std::jthread changing([&] {
    for (uint64_t i = 2; !done; ++i) {
      served.board.publish(some_snapshot(i));
      std::this_thread::yield();
    }
  });
  const Connection client(served);
  std::string pem(WVDS_EST_MAX_PEM_SIZE, '\0');
  for (int round = 0; round < 20; ++round) {
    size_t length = 0;
    uint32_t key_id = 0;
    const wvds_status status =
        wvds_est_certificate(client.get(), pem.data(), &length, pem.size(), &key_id, "device", WVDS_EST_CURRENT);
    ASSERT_EQ(status, WVDS_SUCCESS);
    const uint64_t first = std::stoull(pem);
    ASSERT_EQ(pem.substr(0, length), some_snapshot(first).certificates[0].chain_pem);
  }
  done = true;
}

TEST(GatewayChannel, TellsEverybodyWhoWaits) {
  Served served;
  served.board.publish(some_snapshot(1));
  constexpr int kClients = 24;
  std::atomic<int> waiting{0}, told{0}, ended{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, own = std::make_unique<Connection>(served)] {
      const Connection& client = *own;
      uint64_t generation = 0;
      EXPECT_EQ(wvds_est_wait(client.get(), &generation, 0, kHourMs), WVDS_SUCCESS) << "at once";
      EXPECT_EQ(generation, 1u);
      waiting.fetch_add(1);
      EXPECT_EQ(wvds_est_wait(client.get(), &generation, 1, kHourMs), WVDS_SUCCESS);
      EXPECT_EQ(generation, 2u);
      told.fetch_add(1);
      const wvds_status end = wvds_est_wait(client.get(), &generation, 2, kHourMs);
      EXPECT_TRUE(end == WVDS_NOT_READY || end == WVDS_DISCONNECTED) << wvds_status_name(end);
      ended.fetch_add(1);
    });
  }
  while (waiting < kClients) std::this_thread::yield();
  served.board.publish(some_snapshot(2));
  while (told < kClients) std::this_thread::yield();
  served.stop();
  clients.clear();
  EXPECT_EQ(ended, kClients);
}

// ---- The example of a relay

// EchoServer sends back what it gets, and closes after a byte 0.
class EchoServer {
 public:
  EchoServer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    EXPECT_EQ(listen(socket_.get(), 8), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~EchoServer() { shutdown(socket_.get(), SHUT_RDWR); }

  uint16_t port() const { return port_; }

 private:
  void serve() {
    for (;;) {
      const UniqueFd client(accept(socket_.get(), nullptr, nullptr));
      if (client.get() < 0) return;
      char bytes[5000];
      ssize_t count = 0;
      while ((count = recv(client.get(), bytes, sizeof bytes, 0)) > 0 && bytes[count - 1] != 0) {
        if (send(client.get(), bytes, static_cast<size_t>(count), MSG_NOSIGNAL) != count) break;
      }
    }
  }

  UniqueFd socket_;
  uint16_t port_ = 0;
  std::jthread thread_;
};

// RelayProcess is the example, killed and reaped at the end.
class RelayProcess {
 public:
  explicit RelayProcess(const Served& served) {
    std::string program = WVDS_EST_RELAY, address = served.address();
    char* arguments[] = {program.data(), address.data(), nullptr};
    EXPECT_EQ(posix_spawn(&pid_, program.c_str(), nullptr, nullptr, arguments, environ), 0);
  }
  ~RelayProcess() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

std::vector<std::byte> pattern(size_t size) {
  std::vector<std::byte> out(size);
  for (size_t i = 0; i < size; ++i) out[i] = static_cast<std::byte>(i * 7 % 255 + 1);  // no 0
  return out;
}

TEST(RelayExample, CarriesConnectionsThereAndBack) {
  Served served;
  const EchoServer server;
  const RelayProcess process(served);
  for (const size_t size : {1u, 5000u, 200'000u}) {
    auto stream = RelayDialer(served.relay).dial("127.0.0.1", server.port(), in(hours(1)));
    ASSERT_TRUE(stream) << stream.error().detail;
    const auto out = pattern(size);
    std::vector<std::byte> back, part(50'000);
    for (size_t at = 0; at < out.size(); at += 40'000) {  // less than the sockets' buffers take
      const Bytes chunk = Bytes(out).subspan(at, std::min<size_t>(40'000, out.size() - at));
      ASSERT_TRUE((*stream)->write(chunk, in(hours(1))));
      while (back.size() < at + chunk.size()) {
        const auto count = (*stream)->read(part, in(hours(1)));
        ASSERT_TRUE(count) << count.error().detail;
        ASSERT_NE(*count, 0u);
        back.insert(back.end(), part.begin(), part.begin() + static_cast<ptrdiff_t>(*count));
      }
    }
    EXPECT_EQ(back, out);
    const std::byte end[1] = {};
    ASSERT_TRUE((*stream)->write(end, in(hours(1))));
    EXPECT_EQ((*stream)->read(part, in(hours(1))).value_or(99), 0u);
  }
}

TEST(RelayExample, SaysWhyItCantConnect) {
  Served served;
  uint16_t port = 0;
  {
    port = EchoServer().port();
  }
  const RelayProcess process(served);
  const auto stream = RelayDialer(served.relay).dial("127.0.0.1", port, in(hours(1)));
  ASSERT_FALSE(stream);
  EXPECT_EQ(stream.error().kind, est::FailureKind::kConnectFailed);
  EXPECT_EQ(stream.error().detail, "the relay says: connect: Connection refused");
}

TEST(RelayExample, LosesItsConnectionsWhenItIsKilled) {
  Served served;
  const EchoServer server;
  RelayProcess process(served);
  auto stream = RelayDialer(served.relay).dial("127.0.0.1", server.port(), in(hours(1)));
  ASSERT_TRUE(stream);
  process.kill();
  std::byte room[1];
  const auto count = (*stream)->read(room, in(hours(1)));
  ASSERT_FALSE(count);
  EXPECT_EQ(count.error().kind, est::FailureKind::kConnectionLost);
}

}  // namespace
}  // namespace wvds::est_service
