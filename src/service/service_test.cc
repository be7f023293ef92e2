#include "service/service.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

TEST(Service, RefusesStrangers) {
  Harness harness;
  const auto refused = harness.try_open(99);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kDenied);
}

TEST(Service, LimitsTheSessionsOfAPrincipal) {
  config::ServiceConfig config = test_config();
  config.clients[0].limits.sessions = 2;
  Harness harness(config);
  const TestSession one = harness.open(kGateway);
  {
    const TestSession two = harness.open(kGateway);
    EXPECT_EQ(harness.try_open(kGateway).error().status, Status::kLimitReached);
    EXPECT_TRUE(harness.try_open(kBackend).has_value());
  }
  EXPECT_TRUE(harness.try_open(kGateway).has_value()) << "an ended session makes room";
}

TEST(Service, LimitsTheSessionsOfAll) {
  config::ServiceConfig config = test_config();
  config.sessions.total = 2;
  Harness harness(config);
  const TestSession one = harness.open(kGateway);
  {
    const TestSession two = harness.open(kBackend);
    EXPECT_EQ(harness.try_open(kReader).error().status, Status::kLimitReached);
  }
  EXPECT_TRUE(harness.try_open(kReader).has_value());
}

TEST(Service, OpensNoSessionAfterItsStop) {
  Harness harness;
  harness.service().stop();
  EXPECT_EQ(harness.try_open(kGateway).error().status, Status::kNotReady);
}

// What the log says: collected here, because a sink is a plain function.
std::vector<std::string> g_lines;

class ServiceLog : public ::testing::Test {
 protected:
  void SetUp() override {
    g_lines.clear();
    set_log_sink([](const LogRecord& record) { g_lines.emplace_back(record.line); });
  }
  void TearDown() override { set_log_sink(nullptr); }

  static size_t count(std::string_view part) {
    return static_cast<size_t>(
        std::ranges::count_if(g_lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }

  Harness harness_;
};

TEST_F(ServiceLog, TellsOfEachManagementOperation) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  ASSERT_EQ(session.version_request(Operation::kKeyDelete, key, 0).status, Status::kSuccess);
  EXPECT_EQ(count("done operation=KEY_GENERATE principal=gateway"), 1u);
  EXPECT_EQ(count("done operation=KEY_DELETE principal=gateway"), 1u);
}

TEST_F(ServiceLog, TellsOfDenialsAndFailuresButNeverOfPayloads) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  Buffer text = session.encrypt(key, "confidential").payload;
  text.back() ^= std::byte{1};
  ASSERT_EQ(session.decrypt(key, text).status, Status::kDecryptionFailed);
  TestSession reader = harness_.open(kReader);
  ASSERT_EQ(reader.call(Operation::kKeyImport, bytes_of("confidential")).status, Status::kDenied);
  EXPECT_EQ(count("refused operation=AES_DECRYPT principal=gateway"), 1u);
  EXPECT_EQ(count("refused operation=KEY_IMPORT principal=reader"), 1u);
  EXPECT_EQ(count("confidential"), 0u);
}

TEST_F(ServiceLog, CanNotBeFilledByAClientThatFails) {
  TestSession session = harness_.open();
  for (int i = 0; i < 10'000; ++i) ASSERT_EQ(session.call(uint8_t{0}, {}).status, Status::kInvalidType);
  EXPECT_LE(count("INVALID_TYPE"), 50u);
  harness_.clock().advance(std::chrono::seconds(1));
  ASSERT_EQ(session.call(uint8_t{0}, {}).status, Status::kInvalidType);
  EXPECT_EQ(count("left_out=99"), 1u) << "how many were left out is told (9,950 and more)";
}

TEST_F(ServiceLog, TellsOfStrangersAFewTimes) {
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(harness_.try_open(99).has_value());
  EXPECT_GE(count("stranger refused uid=99"), 1u);
  EXPECT_LE(count("stranger refused"), 50u);
}

TEST(AutomaticRotation, FollowsUseAndKeepsOldTextsReadable) {
  config::ServiceConfig config = test_config();
  config.keys.use_limit = 1000;
  config.keys.rotate_at_percent = 50;
  Harness harness(config);
  TestSession session = harness.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  const Buffer first = session.encrypt(key, "first").payload;
  // The rotation happens in another thread; encrypting goes on until it shows, at the latest when the version would be
  // used up.
  const auto versions = [&] {
    const Answer answer = session.key_request(Operation::kKeyInfo, key);
    const auto info = protocol::KeyInfoAnswer::decode(UntrustedBytes(answer.payload));
    return info ? info->versions.size() : 0;
  };
  for (int i = 1; i < 499; ++i) ASSERT_EQ(session.encrypt(key, "x").status, Status::kSuccess);
  EXPECT_EQ(versions(), 1u) << "not before its time";
  const TimePoint watchdog = platform::monotonic_now() + std::chrono::seconds(60);
  ASSERT_EQ(session.encrypt(key, "x").status, Status::kSuccess);  // the 500th
  while (versions() == 1 && platform::monotonic_now() < watchdog) std::this_thread::yield();
  EXPECT_EQ(versions(), 2u);
  EXPECT_EQ(text_of(session.decrypt(key, first).payload), "first");
}

}  // namespace
}  // namespace wvds::service::testing
