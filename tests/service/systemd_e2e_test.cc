// The service under a service manager: signs of life, status, and a socket that the manager holds.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "platform/linux/unique_fd.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

using platform::UniqueFd;

bool contains(const std::vector<std::string>& messages, const std::string& text) {
  return std::ranges::any_of(messages, [&](const std::string& message) { return message.find(text) != message.npos; });
}

TEST(Watchdog, GetsSignsOfLifeAsLongAsTheListenerTurns) {
  Daemon daemon({.fips = "", .environment = {"WATCHDOG_USEC=100000"}});
  ASSERT_TRUE(daemon.start());
  for (int i = 0; i < 5; ++i) ASSERT_EQ(daemon.wait_for_notification("WATCHDOG=1"), "WATCHDOG=1");
  const Connection client(daemon);
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
  EXPECT_EQ(daemon.stop(), 0);
}

// The session shows that the loop has turned: its first turn gives the first sign of life, where there is one to give.
TEST(Watchdog, OfAnotherProcessGetsNone) {
  Daemon daemon({.fips = "", .environment = {"WATCHDOG_USEC=100000", "WATCHDOG_PID=1"}});
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  ASSERT_EQ(client.status(), WVDS_SUCCESS);
  ASSERT_EQ(daemon.stop(), 0);
  EXPECT_FALSE(contains(daemon.notifications(), "WATCHDOG=1"));
}

TEST(Manager, IsToldHowTheServiceIs) {
  Daemon daemon({.fips = "", .environment = {"WATCHDOG_USEC=100000"}});
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  daemon.wait_for_notification("STATUS=1 of 64 sessions, FIPS active");
}

// A socket as a service manager makes it. The path stays the manager's.
class HeldSocket {
 public:
  explicit HeldSocket(int type = SOCK_SEQPACKET) {
    std::string pattern = (std::filesystem::temp_directory_path() / "wvds-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    EXPECT_EQ(chmod(folder_.c_str(), 0711), 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().c_str(), path().size());
    socket_.reset(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~HeldSocket() { std::filesystem::remove_all(folder_); }
  HeldSocket(const HeldSocket&) = delete;
  HeldSocket& operator=(const HeldSocket&) = delete;

  HeldSocket& listen() {
    EXPECT_EQ(::listen(socket_.get(), 16), 0);
    return *this;
  }
  std::string path() const { return folder_ + "/held"; }
  int fd() const { return socket_.get(); }

 private:
  std::string folder_;
  UniqueFd socket_;
};

bool exists(const std::string& path) {
  struct stat facts{};
  return lstat(path.c_str(), &facts) == 0;
}

TEST(SocketActivation, ServesOnTheSocketThatTheManagerHolds) {
  HeldSocket held;
  held.listen();
  Daemon daemon({.fips = "", .activation_socket = held.fd()});
  ASSERT_TRUE(daemon.start());
  const Connection client(held.path());
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
  EXPECT_FALSE(exists(daemon.socket_path())) << "the one of the configuration is not made";
  EXPECT_NE(daemon.log().find("socket.path and socket.mode are not"), std::string::npos) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0);
  EXPECT_TRUE(exists(held.path())) << "it is not the service's to remove";
}

TEST(SocketActivation, KeepsClientsThatComeBetweenTwoServices) {
  HeldSocket held;
  held.listen();
  Daemon daemon({.fips = "", .activation_socket = held.fd()});
  ASSERT_TRUE(daemon.start());
  ASSERT_EQ(daemon.stop(), 0);
  const UniqueFd early(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, held.path().c_str(), held.path().size());
  ASSERT_EQ(connect(early.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0)
      << "nobody is refused";
  ASSERT_TRUE(daemon.start());
  const Connection client(held.path());
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
}

void expect_refused(const HeldSocket& held) {
  Daemon daemon({.fips = "", .activation_socket = held.fd()});
  EXPECT_FALSE(daemon.try_start());
  EXPECT_NE(daemon.log().find("no listening Unix socket of type SOCK_SEQPACKET"), std::string::npos) << daemon.log();
}

TEST(SocketActivation, RefusesASocketOfAnotherType) { expect_refused(HeldSocket(SOCK_STREAM).listen()); }
TEST(SocketActivation, RefusesASocketThatDoesNotListen) { expect_refused(HeldSocket()); }

TEST(SocketActivation, RefusesMoreThanOneSocket) {
  HeldSocket held;
  held.listen();
  Daemon daemon({.fips = "", .environment = {"LISTEN_FDS=2"}, .activation_socket = held.fd()});
  EXPECT_FALSE(daemon.try_start());
  EXPECT_NE(daemon.log().find("exactly one socket"), std::string::npos) << daemon.log();
}

}  // namespace
}  // namespace wvds::test
