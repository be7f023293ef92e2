#include "service/linux/supervisor.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <vector>

#include "platform/linux/unique_fd.h"
#include "service/testing/service_harness.h"

namespace wvds::service {
namespace {

// The service manager's side: a socket that receives what it is told.
class SupervisorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "wvds-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = folder_ + "/n";
    std::memcpy(address.sun_path, path.c_str(), path.size());
    socket_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    ASSERT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
  }
  void TearDown() override {
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    std::filesystem::remove_all(folder_);
  }
  std::vector<std::string> told() const {
    std::vector<std::string> messages;
    char buffer[1024];
    for (ssize_t length = 0; (length = recv(socket_.get(), buffer, sizeof buffer, 0)) > 0;)
      messages.emplace_back(buffer, static_cast<size_t>(length));
    return messages;
  }

  testing::Harness harness_;
  std::string folder_;
  platform::UniqueFd socket_;
};

using Messages = std::vector<std::string>;

TEST_F(SupervisorTest, GivesASignOfLifeWithEachTick) {
  setenv("WATCHDOG_USEC", "2000000", 1);
  Supervisor supervisor(harness_.service().state());
  EXPECT_EQ(supervisor.tick_interval(), std::chrono::seconds(1)) << "half the time, as sd_watchdog_enabled(3) wants it";
  supervisor.tick();
  EXPECT_EQ(told(), (Messages{"WATCHDOG=1", "STATUS=0 of 64 sessions, FIPS active"}));
  supervisor.tick();
  EXPECT_EQ(told(), (Messages{"WATCHDOG=1"})) << "the status is as it was";
}

TEST_F(SupervisorTest, TellsTheStatusWhenItChanges) {
  Supervisor supervisor(harness_.service().state());
  EXPECT_GT(supervisor.tick_interval().count(), 0);
  supervisor.tick();
  EXPECT_EQ(told(), (Messages{"STATUS=0 of 64 sessions, FIPS active"}));
  const testing::TestSession session = harness_.open();
  supervisor.tick();
  EXPECT_EQ(told(), (Messages{"STATUS=1 of 64 sessions, FIPS active"}));
}

TEST_F(SupervisorTest, DoesNothingWithoutAManager) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_EQ(Supervisor(harness_.service().state()).tick_interval().count(), 0);
}

TEST_F(SupervisorTest, BoundsHowOftenAndHowRarelyItTicks) {
  setenv("WATCHDOG_USEC", "1", 1);
  EXPECT_EQ(Supervisor(harness_.service().state()).tick_interval(), std::chrono::milliseconds(1));
  setenv("WATCHDOG_USEC", "3600000000", 1);
  EXPECT_EQ(Supervisor(harness_.service().state()).tick_interval(), std::chrono::seconds(10));
}

}  // namespace
}  // namespace wvds::service
