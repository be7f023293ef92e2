#include "channel/linux/listening_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include "channel/linux/address.h"
#include "channel/linux/testing/temporary_folder.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;

class ListeningSocketTest : public ::testing::Test {
 protected:
  bool can_connect() const {
    const auto address = socket_address(path_).value();
    const UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    return connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  bool exists(const std::string& path) const {
    struct stat facts{};
    return lstat(path.c_str(), &facts) == 0;
  }
  // dead_socket leaves what a killed service leaves.
  void dead_socket(int type = SOCK_SEQPACKET) const {
    const auto address = socket_address(path_).value();
    const UniqueFd socket(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
  }

  testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path("service.sock");
};

TEST_F(ListeningSocketTest, AcceptsConnections) {
  const auto listening = ListeningSocket::open(path_, 0600);
  ASSERT_TRUE(listening.has_value()) << listening.error().detail;
  EXPECT_TRUE(can_connect());
  EXPECT_NE(fcntl(listening->fd(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(ListeningSocketTest, HasExactlyTheModeItWasGivenWhateverTheUmask) {
  for (mode_t mask : {0000, 0022, 0777}) {
    for (mode_t mode : {0600, 0660, 0666}) {
      const mode_t before = umask(mask);
      const auto listening = ListeningSocket::open(path_, mode);
      umask(before);
      ASSERT_TRUE(listening.has_value()) << listening.error().detail;
      struct stat facts{};
      ASSERT_EQ(lstat(path_.c_str(), &facts), 0);
      EXPECT_EQ(facts.st_mode & 07777, mode);
      ASSERT_EQ(chmod((path_ + ".lock").c_str(), 0600), 0);  // umask 0777 took its bits too
    }
  }
}

TEST_F(ListeningSocketTest, ReplacesTheSocketOfADeadService) {
  dead_socket();
  ASSERT_TRUE(exists(path_));
  ASSERT_FALSE(can_connect());
  const auto listening = ListeningSocket::open(path_, 0600);
  ASSERT_TRUE(listening.has_value()) << listening.error().detail;
  EXPECT_TRUE(can_connect());
}

TEST_F(ListeningSocketTest, LeavesALiveServiceAlone) {
  const auto first = ListeningSocket::open(path_, 0600);
  ASSERT_TRUE(first.has_value());
  const auto second = ListeningSocket::open(path_, 0600);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().status, Status::kBusy);
  EXPECT_NE(second.error().detail.find(path_), std::string::npos);
  EXPECT_TRUE(can_connect());
}

TEST_F(ListeningSocketTest, LeavesALiveServiceAloneThatHasNoLock) {
  auto first = ListeningSocket::open(path_, 0600);
  ASSERT_TRUE(first.has_value());
  ASSERT_EQ(unlink((path_ + ".lock").c_str()), 0);
  EXPECT_EQ(ListeningSocket::open(path_, 0600).error().status, Status::kBusy);
  EXPECT_TRUE(can_connect());
}

TEST_F(ListeningSocketTest, ReplacesNothingThatIsNoSocket) {
  std::ofstream(path_) << "important";
  EXPECT_EQ(ListeningSocket::open(path_, 0600).error().status, Status::kInvalidArgument);
  std::string content;
  std::ifstream(path_) >> content;
  EXPECT_EQ(content, "important");
}

TEST_F(ListeningSocketTest, FollowsNoLinkInsteadOfItsLock) {
  const std::string target = folder_.path("target");
  ASSERT_EQ(symlink(target.c_str(), (path_ + ".lock").c_str()), 0);
  EXPECT_EQ(ListeningSocket::open(path_, 0600).error().status, Status::kInternalError);
  EXPECT_FALSE(exists(target));
}

TEST_F(ListeningSocketTest, RemovesItsSocketAtTheEnd) {
  {
    const auto listening = ListeningSocket::open(path_, 0600);
    ASSERT_TRUE(exists(path_));
  }
  EXPECT_FALSE(exists(path_));
  EXPECT_TRUE(ListeningSocket::open(path_, 0600).has_value());
}

TEST_F(ListeningSocketTest, DoesNotRemoveASocketThatIsNotItsOwn) {
  {
    const auto listening = ListeningSocket::open(path_, 0600);
    ASSERT_EQ(rename(path_.c_str(), folder_.path("aside").c_str()), 0);  // keeps the number of the file in use
    dead_socket();
  }
  EXPECT_TRUE(exists(path_));
}

TEST_F(ListeningSocketTest, SaysWhyAPathWontDo) {
  EXPECT_EQ(ListeningSocket::open("", 0600).error().status, Status::kInvalidArgument);
  EXPECT_EQ(ListeningSocket::open(std::string("a\0b", 3), 0600).error().status, Status::kInvalidArgument);
  const auto long_path = ListeningSocket::open("/tmp/" + std::string(103, 'x'), 0600);
  EXPECT_EQ(long_path.error().status, Status::kInvalidArgument);
  EXPECT_NE(long_path.error().detail.find("107"), std::string::npos);
  const auto no_folder = ListeningSocket::open(folder_.path("none/service.sock"), 0600);
  EXPECT_EQ(no_folder.error().status, Status::kInternalError);
  EXPECT_NE(no_folder.error().detail.find("none/service.sock"), std::string::npos);
}

TEST(SocketAddress, TakesAllOfTheHundredAndSevenBytes) {
  const std::string longest(107, 'p');
  const auto address = socket_address(longest);
  ASSERT_TRUE(address.has_value());
  EXPECT_EQ(std::string(address->sun_path), longest);
  EXPECT_FALSE(socket_address(longest + "p").has_value());
}

}  // namespace
}  // namespace wvds::channel
