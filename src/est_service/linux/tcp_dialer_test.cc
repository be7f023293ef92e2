#include "est_service/linux/tcp_dialer.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

namespace wvds::est_service {
namespace {

using est::FailureKind;
using platform::UniqueFd;

platform::TimePoint in(std::chrono::milliseconds time) { return platform::monotonic_now() + time; }

// Listener is a socket on loopback.
class Listener {
 public:
  explicit Listener(int backlog = 8) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_.get(), backlog), 0);
    socklen_t size = sizeof address;
    EXPECT_EQ(getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  uint16_t port() const { return port_; }
  UniqueFd accept() { return UniqueFd(::accept(socket_.get(), nullptr, nullptr)); }
  void close() { socket_.reset(); }

 private:
  UniqueFd socket_;
  uint16_t port_ = 0;
};

class TcpDialerTest : public testing::Test {
 protected:
  std::unique_ptr<TcpDialer> dialer_ = std::move(*TcpDialer::make());
};

TEST_F(TcpDialerTest, CarriesBytesBothWaysAndSeesTheEnd) {
  Listener listener;
  auto stream = dialer_->dial("localhost", listener.port(), in(std::chrono::seconds(60)));
  ASSERT_TRUE(stream.has_value()) << stream.error().detail;
  UniqueFd peer = listener.accept();
  const std::string sent(300'000, 'x');
  std::string came;
  std::thread reader([&] {
    char buffer[4096];
    while (came.size() < sent.size())
      came.append(buffer, static_cast<size_t>(recv(peer.get(), buffer, sizeof buffer, 0)));
  });
  ASSERT_TRUE((*stream)->write(as_bytes(sent), in(std::chrono::seconds(60))).has_value());
  reader.join();
  EXPECT_EQ(came, sent);
  ASSERT_EQ(send(peer.get(), "answer", 6, 0), 6);
  std::array<std::byte, 16> buffer{};
  EXPECT_EQ((*stream)->read(buffer, in(std::chrono::seconds(60))).value(), 6u);
  peer.reset();
  EXPECT_EQ((*stream)->read(buffer, in(std::chrono::seconds(60))).value(), 0u);
}

TEST_F(TcpDialerTest, SaysThatNobodyListens) {
  Listener listener;
  listener.close();
  const auto stream = dialer_->dial("127.0.0.1", listener.port(), in(std::chrono::seconds(60)));
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().kind, FailureKind::kConnectFailed);
  EXPECT_NE(stream.error().detail.find("refused"), std::string::npos) << stream.error().detail;
}

TEST_F(TcpDialerTest, SaysThatANameHasNoAddress) {
  const auto stream = dialer_->dial("no-such-host.invalid", 443, in(std::chrono::seconds(60)));
  ASSERT_FALSE(stream.has_value());
  EXPECT_EQ(stream.error().kind, FailureKind::kConnectFailed);
  EXPECT_NE(stream.error().detail.find("no-such-host.invalid"), std::string::npos);
}

TEST_F(TcpDialerTest, WaitsNoLongerThanTheDeadline) {
  Listener listener;
  auto stream = dialer_->dial("127.0.0.1", listener.port(), in(std::chrono::seconds(60)));
  ASSERT_TRUE(stream.has_value());
  std::array<std::byte, 16> buffer{};
  const auto read = (*stream)->read(buffer, in(std::chrono::milliseconds(20)));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, FailureKind::kTimeout);
}

TEST_F(TcpDialerTest, EndsAWaitWhenTheServiceStops) {
  Listener listener;
  auto stream = dialer_->dial("127.0.0.1", listener.port(), in(std::chrono::seconds(60)));
  ASSERT_TRUE(stream.has_value());
  std::thread stopping([&] { dialer_->interrupt(); });
  std::array<std::byte, 16> buffer{};
  const auto read = (*stream)->read(buffer, in(std::chrono::seconds(60)));
  stopping.join();
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind, FailureKind::kConnectionLost);
}

}  // namespace
}  // namespace wvds::est_service
