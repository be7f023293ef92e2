#include "platform/linux/notify.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <ctime>

#include "platform/linux/activation.h"

namespace wvds::platform {
namespace {

// Environment sets variables for a test and removes them after it.
class Environment : public ::testing::Test {
 protected:
  void TearDown() override {
    for (const char* name : {"WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"})
      unsetenv(name);
  }
  static void set(const char* name, const std::string& value) { setenv(name, value.c_str(), 1); }
  static std::string own_pid() { return std::to_string(getpid()); }
};

using Watchdog = Environment;

TEST_F(Watchdog, IsOffUnlessTheManagerWatches) { EXPECT_FALSE(watchdog_timeout().has_value()); }

TEST_F(Watchdog, WaitsAsLongAsTheManagerSays) {
  set("WATCHDOG_USEC", "30000000");
  EXPECT_EQ(watchdog_timeout(), std::chrono::seconds(30));
  set("WATCHDOG_PID", own_pid());
  EXPECT_EQ(watchdog_timeout(), std::chrono::seconds(30));
}

TEST_F(Watchdog, OfAnotherProcessIsNotOurs) {
  set("WATCHDOG_USEC", "30000000");
  set("WATCHDOG_PID", "1");
  EXPECT_FALSE(watchdog_timeout().has_value());
}

TEST_F(Watchdog, WithoutASensibleTimeIsOff) {
  for (const char* text : {"0", "", "x", "-1", "10s", "99999999999999999999", "18446744073709551615"}) {
    set("WATCHDOG_USEC", text);
    EXPECT_FALSE(watchdog_timeout().has_value()) << text;
  }
}

TEST(ReloadingMessage, HasTheTimeThatTheManagerCompares) {
  timespec before{};
  clock_gettime(CLOCK_MONOTONIC, &before);
  const std::string message = reloading_message();
  const std::string head = "RELOADING=1\nMONOTONIC_USEC=";
  ASSERT_EQ(message.substr(0, head.size()), head);
  const auto earliest = static_cast<unsigned long long>(before.tv_sec) * 1'000'000 +
                        static_cast<unsigned long long>(before.tv_nsec) / 1000;
  EXPECT_GE(std::stoull(message.substr(head.size())), earliest);
}

using Activation = Environment;

TEST_F(Activation, IsNothingWithoutAManager) {
  const auto socket = take_activation_socket();
  ASSERT_TRUE(socket.has_value());
  EXPECT_FALSE(socket->has_value());
}

TEST_F(Activation, GivesTheOneDescriptorAndRemovesTheVariables) {
  set("LISTEN_FDS", "1");
  set("LISTEN_PID", own_pid());
  set("LISTEN_FDNAMES", "crypto.socket");
  const auto socket = take_activation_socket();
  ASSERT_TRUE(socket.has_value());
  EXPECT_EQ(*socket, 3);
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) EXPECT_EQ(getenv(name), nullptr) << name;
}

TEST_F(Activation, LeavesAloneWhatIsForAnotherProcess) {
  for (const char* pid : {"1", "", "x"}) {
    set("LISTEN_FDS", "1");
    set("LISTEN_PID", pid);
    const auto socket = take_activation_socket();
    ASSERT_TRUE(socket.has_value());
    EXPECT_FALSE(socket->has_value()) << pid;
    EXPECT_EQ(getenv("LISTEN_FDS"), nullptr);
  }
}

TEST_F(Activation, RefusesOtherThanOneDescriptor) {
  for (const char* count : {"0", "2", "-1", "x", "1x"}) {
    set("LISTEN_FDS", count);
    set("LISTEN_PID", own_pid());
    const auto socket = take_activation_socket();
    ASSERT_FALSE(socket.has_value()) << count;
    EXPECT_EQ(socket.error().status, Status::kInvalidArgument);
  }
}

}  // namespace
}  // namespace wvds::platform
