// SIGHUP: what changes while the service runs, and who notices.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <fstream>
#include <memory>
#include <thread>

#include "service/bystander.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

wvds_status random(wvds_session* session) {
  uint8_t bytes[8];
  return wvds_random(session, bytes, sizeof bytes);
}

// with_operations is a client entry for this user who may do only these.
std::string with_operations(const std::string& operations, const std::string& more = "") {
  return R"({"name": "tester", "uid": )" + std::to_string(getuid()) + R"(, "operations": )" + operations + more + "}";
}

std::string somebody_else() {
  return R"({"name": "other", "uid": )" + std::to_string(getuid() + 1) + R"(, "operations": ["random"]})";
}

class Reloading : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(daemon_.start()); }

  // reload returns when the service has told its manager that it is ready again.
  void reload() {
    daemon_.signal(SIGHUP);
    daemon_.wait_for_notification("RELOADING=1");
    daemon_.wait_for_notification("READY=1");
  }
  void reload(const DaemonOptions& options) {
    daemon_.configure(options);
    reload();
  }
  bool logged(const std::string& text) const { return daemon_.log().find(text) != std::string::npos; }

  Daemon daemon_;
};

TEST_F(Reloading, TakesRightsAwayFromASessionThatIsUp) {
  const Connection client(daemon_);
  ASSERT_EQ(random(client.get()), WVDS_SUCCESS);
  reload({.fips = "", .clients = with_operations(R"(["status"])")});
  EXPECT_EQ(random(client.get()), WVDS_DENIED);
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
  reload({});
  EXPECT_EQ(random(client.get()), WVDS_SUCCESS);
}

TEST_F(Reloading, ChangesARateLimit) {
  reload({.fips = "",
          .clients = with_operations(
              R"(["random"])", R"(, "rate_limit": {"requests_per_second": 1, "burst": 1, "cooldown_ms": 3600000})")});
  const Connection client(daemon_);
  for (int i = 0; i < 2; ++i) wvds_ping(client.get());
  EXPECT_EQ(wvds_ping(client.get()), WVDS_RATE_LIMITED);
  reload({});
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
}

TEST_F(Reloading, DeniesEverythingToAClientThatVanished) {
  const Connection client(daemon_);
  reload({.fips = "", .clients = somebody_else()});
  EXPECT_EQ(wvds_ping(client.get()), WVDS_DENIED);
  EXPECT_EQ(Connection(daemon_).status(), WVDS_DENIED);
  reload({});
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
}

TEST_F(Reloading, KeepsTheOldConfigurationWhenTheNewOneIsWrong) {
  const Connection client(daemon_);
  reload({.fips = "", .clients = somebody_else(), .sections = R"("sessions": {"slots": 1000},)"});
  EXPECT_TRUE(logged("configuration not reloaded"));
  EXPECT_TRUE(logged("sessions.slots: must be a whole number from 1 to 64, not 1000")) << daemon_.log();
  EXPECT_EQ(random(client.get()), WVDS_SUCCESS);
  std::ofstream(daemon_.config_path()) << "{";
  reload();
  ASSERT_EQ(unlink(daemon_.config_path().c_str()), 0);
  reload();
  EXPECT_TRUE(logged("can't be opened"));
  EXPECT_EQ(random(client.get()), WVDS_SUCCESS);
  EXPECT_EQ(Connection(daemon_).status(), WVDS_SUCCESS);
  const auto metrics = std::make_unique<wvds_metrics>();
  ASSERT_EQ(wvds_metrics_get(client.get(), metrics.get()), WVDS_SUCCESS);
  EXPECT_EQ(metrics->num_failed_reloads, 3u);
  EXPECT_EQ(metrics->num_reloads, 0u);
}

TEST_F(Reloading, NamesWhatNeedsARestart) {
  const Connection client(daemon_);
  reload({.fips = R"("off")",
          .clients = this_user_may_all(),
          .sections = R"("sessions": {"slots": 3}, "locked_memory": {"bytes": 262144},)"});
  for (const char* setting : {"fips", "sessions.slots", "locked_memory"})
    EXPECT_TRUE(logged(std::string("needs a restart setting=") + setting)) << setting;
  wvds_service_state state{};
  ASSERT_EQ(wvds_status_get(client.get(), &state), WVDS_SUCCESS);
  EXPECT_EQ(state.fips_mode, static_cast<uint32_t>(WVDS_FIPS_MODE_REQUIRED)) << "it stays as it was";
  EXPECT_NE(std::strstr(state.warnings, "sessions.slots"), nullptr) << state.warnings;
  ASSERT_EQ(daemon_.stop(), 0);
  ASSERT_TRUE(daemon_.start());
  ASSERT_EQ(wvds_reconnect(client.get(), WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  ASSERT_EQ(wvds_status_get(client.get(), &state), WVDS_SUCCESS);
  EXPECT_EQ(state.fips_mode, static_cast<uint32_t>(WVDS_FIPS_MODE_OFF));
}

TEST_F(Reloading, ChangesTheLogLevel) {
  const Connection client(daemon_);
  reload({.fips = "", .clients = this_user_may_all(), .sections = R"("log_level": "error",)"});
  ASSERT_FALSE(logged("configuration reloaded")) << "which is information";
  reload({});
  EXPECT_TRUE(logged("configuration reloaded"));
}

TEST_F(Reloading, IsToldToTheManagerAsItWantsIt) {
  daemon_.signal(SIGHUP);
  EXPECT_NE(daemon_.wait_for_notification("RELOADING=1").find("\nMONOTONIC_USEC="), std::string::npos);
  EXPECT_NE(daemon_.wait_for_notification("READY=1").find("STATUS="), std::string::npos);
}

TEST_F(Reloading, ManyTimesAtOnceIsNotNoticedByAClientThatWorks) {
  std::atomic<bool> done{false};
  std::atomic<int> rounds{0};
  std::thread client([&] {
    Bystander bystander(daemon_);
    while (!done && !testing::Test::HasFailure()) {
      bystander.check();
      ++rounds;
    }
  });
  for (int storm = 0; storm < 5; ++storm) {
    const int before = rounds;
    for (int i = 0; i < 100; ++i) daemon_.signal(SIGHUP);
    EXPECT_TRUE(reached([&] { return rounds > before + 5 || testing::Test::HasFailure(); }));
  }
  reload({.fips = "", .clients = this_user_may_all(), .sections = R"("sessions": {"total": 63},)"});
  done = true;
  client.join();
  const Connection after(daemon_);
  EXPECT_TRUE(reached([&] {  // the last of the storm may still be at it
    wvds_service_state state{};
    return wvds_status_get(after.get(), &state) == WVDS_SUCCESS && state.max_sessions == 63;
  }));
  EXPECT_EQ(daemon_.stop(), 0);
}

TEST_F(Reloading, WhileItStopsDoesNoHarm) {
  for (int i = 0; i < 20; ++i) daemon_.signal(SIGHUP);
  EXPECT_EQ(daemon_.stop(), 0);
  const std::vector<std::string> told = daemon_.notifications();
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.back(), "STOPPING=1") << "nothing is ready after that";
}

}  // namespace
}  // namespace wvds::test
