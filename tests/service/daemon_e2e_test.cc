// The service as a process: start, readiness, stop, being killed, coming back.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <vector>

#include "support/daemon.h"

namespace wvds::test {
namespace {

using Octets = std::vector<uint8_t>;

Octets encrypt(wvds_session* session, uint32_t key) {
  Octets sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(4));
  size_t length = 0;
  EXPECT_EQ(wvds_aes_encrypt(session, sealed.data(), &length, sealed.size(), key,
                             reinterpret_cast<const uint8_t*>("text"), 4, nullptr, 0),
            WVDS_SUCCESS);
  return sealed;
}

wvds_status decrypt(wvds_session* session, uint32_t key, const Octets& sealed) {
  Octets opened(sealed.size());
  size_t length = 0;
  return wvds_aes_decrypt(session, opened.data(), &length, opened.size(), key, sealed.data(), sealed.size(), nullptr,
                          0);
}

bool exists(const std::string& path) {
  struct stat facts{};
  return lstat(path.c_str(), &facts) == 0;
}

class Stopping : public testing::TestWithParam<int> {};

TEST_P(Stopping, IsCleanAndToldToTheManager) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  ASSERT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
  EXPECT_EQ(daemon.stop(GetParam()), 0);
  EXPECT_TRUE(std::ranges::count(daemon.notifications(), "STOPPING=1") == 1);
  EXPECT_NE(daemon.log().find("stopped"), std::string::npos);
  EXPECT_EQ(wvds_ping(client.get()), WVDS_DISCONNECTED);
  EXPECT_FALSE(exists(daemon.socket_path()));
}

INSTANTIATE_TEST_SUITE_P(Service, Stopping, testing::Values(SIGTERM, SIGINT),
                         [](const auto& test) { return std::string("By") + sigabbrev_np(test.param); });

TEST(Service, TellsTheLogWhenItIsReady) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  EXPECT_NE(daemon.log().find("info: ready version="), std::string::npos);
  EXPECT_NE(daemon.log().find("fips=active"), std::string::npos);
}

TEST(Service, WritesPrioritiesWhenItsOutputIsTheJournalButNoJournaldRuns) {
  if (exists("/run/systemd/journal/socket")) GTEST_SKIP() << "NOT RUN: a journald runs here, which would get the log";
  Daemon daemon;
  const std::string log_path = daemon.path("log");
  ASSERT_EQ(close(creat(log_path.c_str(), 0600)), 0);
  struct stat facts{};
  ASSERT_EQ(stat(log_path.c_str(), &facts), 0);
  const std::string stream = std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino);
  Daemon journaled({.fips = "", .environment = {"JOURNAL_STREAM=" + stream}});
  ASSERT_EQ(rename(log_path.c_str(), journaled.path("log").c_str()), 0);
  ASSERT_TRUE(journaled.start());
  EXPECT_NE(journaled.log().find("<6>ready version="), std::string::npos) << journaled.log();
}

TEST(Service, KilledIsSeenByItsClientsAndComesBackWithItsKeys) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  const uint32_t persistent = make_key(client, WVDS_LIFETIME_PERSISTENT);
  const uint32_t in_memory = make_key(client, WVDS_LIFETIME_VOLATILE);
  const uint32_t of_session = make_key(client, WVDS_LIFETIME_SESSION);
  const Octets sealed = encrypt(client.get(), persistent);
  uint64_t epoch_before = 0;
  ASSERT_EQ(wvds_epoch(client.get(), &epoch_before), WVDS_SUCCESS);

  daemon.kill();
  EXPECT_EQ(wvds_ping(client.get()), WVDS_DISCONNECTED);
  ASSERT_TRUE(daemon.start());
  EXPECT_EQ(wvds_ping(client.get()), WVDS_DISCONNECTED) << "not by itself";
  ASSERT_EQ(wvds_reconnect(client.get(), WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  uint64_t epoch_after = 0;
  ASSERT_EQ(wvds_epoch(client.get(), &epoch_after), WVDS_SUCCESS);
  EXPECT_NE(epoch_after, epoch_before);
  EXPECT_EQ(decrypt(client.get(), persistent, sealed), WVDS_SUCCESS);
  EXPECT_EQ(decrypt(client.get(), in_memory, sealed), WVDS_KEY_NOT_FOUND);
  EXPECT_EQ(decrypt(client.get(), of_session, sealed), WVDS_KEY_NOT_FOUND);
  EXPECT_GT(make_key(client, WVDS_LIFETIME_PERSISTENT), persistent) << "ids are never used again";
}

TEST(Service, KilledWhileItWorksIsSeenByTheOneWhoWaits) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  wvds_call* call = nullptr;
  uint8_t* payload = nullptr;
  ASSERT_EQ(wvds_request_begin(client.get(), &call, &payload, WVDS_OP_PING, 0), WVDS_SUCCESS);
  ASSERT_EQ(::kill(daemon.pid(), SIGSTOP), 0);  // it can't answer any more
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_TIMEOUT);
  daemon.kill();
  EXPECT_EQ(wvds_collect(call, WVDS_DEFAULT_TIMEOUT), WVDS_DISCONNECTED);
  EXPECT_EQ(wvds_call_release(call), WVDS_SUCCESS);
}

TEST(Service, LeavesAStoreThatTheNextOneOpens) {
  Daemon daemon;
  uint32_t key = 0;
  Octets sealed;
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(daemon.start());
    const Connection client(daemon);
    if (round == 0) key = make_key(client, WVDS_LIFETIME_PERSISTENT);
    if (round > 0) {
      EXPECT_EQ(decrypt(client.get(), key, sealed), WVDS_SUCCESS);
    }
    sealed = encrypt(client.get(), key);
    EXPECT_EQ(daemon.stop(), 0);
  }
}

TEST(Service, RefusesToStartWhereOneRuns) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  const Outcome second = run_service({"--config", daemon.config_path()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_NE(second.output.find("error:"), std::string::npos) << second.output;
  const Connection client(daemon);
  EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS) << "and leaves the one that runs alone";
}

TEST(Service, RefusesToStartWithoutTheFipsProviderThatIsRequired) {
  Daemon daemon({.fips = R"({"mode": "required", "modules_dir": "/nonexistent/modules"})"});
  const Outcome run = run_service({"--config", daemon.config_path()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.output.find("/nonexistent/modules"), std::string::npos) << "names the file: " << run.output;
}

TEST(Service, FallsBackWithoutTheFipsProviderThatIsPreferred) {
  Daemon daemon({.fips = R"({"mode": "preferred", "modules_dir": "/nonexistent/modules"})"});
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  wvds_service_state state{};
  ASSERT_EQ(wvds_status_get(client.get(), &state), WVDS_SUCCESS);
  EXPECT_EQ(state.fips_state, static_cast<uint32_t>(WVDS_FIPS_UNAVAILABLE));
  EXPECT_NE(std::strstr(state.warnings, "FIPS"), nullptr);
  EXPECT_EQ(decrypt(client.get(), make_key(client, WVDS_LIFETIME_SESSION), Octets(28)), WVDS_DECRYPTION_FAILED);
}

TEST(Service, RefusesAnotherKeyFile) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  ASSERT_EQ(daemon.stop(), 0);
  ASSERT_EQ(unlink(daemon.path("keys/store.key").c_str()), 0);
  const Outcome run = run_service({"--config", daemon.config_path()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.output.find("store.key"), std::string::npos) << run.output;
}

TEST(Service, RefusesStrangers) {
  const std::string somebody_else =
      R"({"name": "other", "uid": )" + std::to_string(getuid() + 1) + R"(, "operations": ["random"]})";
  Daemon daemon({.fips = "", .clients = somebody_else});
  ASSERT_TRUE(daemon.start());
  EXPECT_EQ(Connection(daemon).status(), WVDS_DENIED);
  EXPECT_NE(daemon.log().find("stranger refused uid=" + std::to_string(getuid())), std::string::npos);
}

TEST(Service, LimitsSessions) {
  const std::string one_session = R"({"name": "tester", "uid": )" + std::to_string(getuid()) +
                                  R"(, "operations": ["random"], "limits": {"sessions": 1}})";
  Daemon daemon({.fips = "", .clients = one_session});
  ASSERT_TRUE(daemon.start());
  {
    const Connection first(daemon);
    EXPECT_EQ(first.status(), WVDS_SUCCESS);
    EXPECT_EQ(Connection(daemon).status(), WVDS_LIMIT_REACHED);
  }
  EXPECT_TRUE(reached([&] { return Connection(daemon).status() == WVDS_SUCCESS; })) << "an ended session makes room";
}

TEST(Service, LimitsRequests) {
  const std::string slow =
      R"({"name": "tester", "uid": )" + std::to_string(getuid()) +
      R"(, "operations": ["random"], "rate_limit": {"requests_per_second": 1, "burst": 5, "cooldown_ms": 100}})";
  Daemon daemon({.fips = "", .clients = slow});
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(wvds_ping(client.get()), WVDS_SUCCESS);
  EXPECT_EQ(wvds_ping(client.get()), WVDS_RATE_LIMITED);
  EXPECT_TRUE(reached([&] { return wvds_ping(client.get()) == WVDS_SUCCESS; })) << "the bucket fills again";
}

}  // namespace
}  // namespace wvds::test
