#include "service/reload.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "service/metrics_handler.h"
#include "service/service_handlers.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

TEST(NeedsRestart, IsEmptyForWhatAReloadCanChange) {
  const config::ServiceConfig running = test_config();
  config::ServiceConfig next = running;
  next.clients.pop_back();
  next.rate_limit.burst = 7;
  next.sessions.total = 3;
  next.log_level = LogLevel::kDebug;
  next.metrics.interval_s = 99;
  EXPECT_TRUE(needs_restart(running, next).empty());
}

TEST(NeedsRestart, NamesEachOtherSection) {
  const config::ServiceConfig running = test_config();
  const std::pair<const char*, void (*)(config::ServiceConfig&)> kChanges[] = {
      {"socket", [](config::ServiceConfig& c) { c.socket.mode = 0600; }},
      {"store", [](config::ServiceConfig& c) { c.store.path = "/other"; }},
      {"fips", [](config::ServiceConfig& c) { c.fips.mode = config::Fips::kOff; }},
      {"engines", [](config::ServiceConfig& c) { c.engines.push_back({"/m.so", {Algorithm::kMlDsa65}, "p=q"}); }},
      {"replay_window", [](config::ServiceConfig& c) { c.replay_window.capacity = 1; }},
      {"sessions.slots", [](config::ServiceConfig& c) { c.sessions.slots = 1; }},
      {"keys", [](config::ServiceConfig& c) { c.keys.use_limit = 1; }},
      {"nonce", [](config::ServiceConfig& c) { c.nonces = config::Nonces::kRandom; }},
      {"locked_memory", [](config::ServiceConfig& c) { c.locked_memory.bytes = 1 << 20; }},
      {"metrics.file", [](config::ServiceConfig& c) { c.metrics.file = "/m"; }},
  };
  for (const auto& [name, change] : kChanges) {
    config::ServiceConfig next = running;
    change(next);
    EXPECT_EQ(needs_restart(running, next), std::vector<std::string>{name});
  }
}

class Reload : public ::testing::Test {
 protected:
  Status reload() {
    const Result<> done = harness_.service().reload(next_);
    return done ? Status::kSuccess : done.error().status;
  }
  static Status ping(TestSession& session) { return session.call(Operation::kPing, {}).status; }
  static Status random(TestSession& session) {
    Buffer payload(4);
    Writer(payload).u32(8);
    return session.call(Operation::kRandom, payload).status;
  }
  config::Client& gateway() { return next_.clients[0]; }
  config::Client& backend() { return next_.clients[1]; }

  Harness harness_;
  config::ServiceConfig next_ = test_config();
};

TEST_F(Reload, TakesARightAwayAtTheNextRequest) {
  TestSession session = harness_.open();
  ASSERT_EQ(random(session), Status::kSuccess);
  std::erase(gateway().operations, "random");
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(random(session), Status::kDenied);
  EXPECT_EQ(ping(session), Status::kSuccess);
  gateway().operations.emplace_back("random");
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(random(session), Status::kSuccess);
}

TEST_F(Reload, LeavesSessionsAndTheirKeysAlone) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
  const Answer sealed = session.encrypt(key, "text");
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(text_of(session.decrypt(key, sealed.payload).payload), "text");
  EXPECT_EQ(session.decrypt(key, sealed.payload).status, Status::kNonceReuse) << "the window too";
}

TEST_F(Reload, DeniesEverythingToAClientThatVanished) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  next_.clients.erase(next_.clients.begin());
  ASSERT_EQ(reload(), Status::kSuccess);
  for (const protocol::OperationInfo& info : protocol::operations_of(protocol::Daemon::kCryptoService)) {
    EXPECT_EQ(session.call(info.operation, {}).status, Status::kDenied) << info.name;
  }
  EXPECT_EQ(session.last_verdict(), channel::Verdict::kInvalid);
  EXPECT_EQ(harness_.try_open(kGateway).error().status, Status::kDenied);
  next_ = test_config();
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(session.encrypt(key, "text").status, Status::kSuccess) << "back again, with its keys";
}

TEST_F(Reload, DeniesEverythingToAPeerThatIsAnotherClientNow) {
  TestSession session = harness_.open(kGateway);
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  std::swap(gateway().uid, backend().uid);
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(ping(session), Status::kDenied);
  EXPECT_EQ(session.encrypt(key, "text").status, Status::kDenied);
  TestSession again = harness_.open(kGateway);
  EXPECT_EQ(again.encrypt(key, "text").status, Status::kKeyNotFound) << "it is the backend now";
}

TEST_F(Reload, TakesInANewClient) {
  config::Client fresh = gateway();
  fresh.name = "fresh";
  fresh.uid = 50;
  next_.clients.push_back(fresh);
  EXPECT_FALSE(harness_.try_open(50).has_value());
  ASSERT_EQ(reload(), Status::kSuccess);
  TestSession session = harness_.open(50);
  const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  EXPECT_EQ(session.encrypt(key, "text").status, Status::kSuccess);
}

TEST_F(Reload, GivesAndTakesGrants) {
  TestSession owner = harness_.open(kGateway);
  const uint32_t key = owner.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  const Answer sealed = owner.encrypt(key, "text");
  TestSession other = harness_.open(kBackend);
  EXPECT_EQ(other.decrypt(key, sealed.payload).status, Status::kKeyNotFound);
  backend().grants = {{.id = key, .usages = static_cast<Usages>(Usage::kDecrypt), .context = {}}};
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(text_of(other.decrypt(key, sealed.payload).payload), "text");
  EXPECT_EQ(other.encrypt(key, "text").status, Status::kWrongKeyUsage);
  backend().grants.clear();
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(other.decrypt(key, owner.encrypt(key, "more").payload).status, Status::kKeyNotFound)
      << "although the session had the key at hand";
}

TEST_F(Reload, ChangesTheContextThatAGrantFixes) {
  TestSession owner = harness_.open(kGateway);
  const uint32_t key = owner.generate(Algorithm::kMlDsa44, 0, Lifetime::kPersistent);
  backend().grants = {{.id = key, .usages = static_cast<Usages>(Usage::kSign), .context = "a"}};
  ASSERT_EQ(reload(), Status::kSuccess);
  TestSession other = harness_.open(kBackend);
  EXPECT_EQ(other.sign(key, "m", "a").status, Status::kSuccess);
  backend().grants[0].context = "b";
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(other.sign(key, "m", "a").status, Status::kDenied);
  EXPECT_EQ(other.sign(key, "m", "b").status, Status::kSuccess);
}

TEST_F(Reload, ChangesLimits) {
  TestSession session = harness_.open();
  session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile);
  session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile);
  gateway().limits.volatile_keys = 2;
  gateway().limits.sessions = 1;
  ASSERT_EQ(reload(), Status::kSuccess);
  protocol::KeyGenerateRequest request;
  request.key = {Algorithm::kAes256Gcm, Lifetime::kVolatile, 0, 0, ""};
  Buffer payload(protocol::kKeyTemplateFixedSize);
  ASSERT_TRUE(request.encode(payload).has_value());
  EXPECT_EQ(session.call(Operation::kKeyGenerate, payload).status, Status::kLimitReached);
  EXPECT_EQ(harness_.try_open(kGateway).error().status, Status::kLimitReached);
  EXPECT_EQ(ping(session), Status::kSuccess) << "nobody is put out";
  gateway().limits.volatile_keys = 3;
  next_.sessions.total = 1;
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(session.call(Operation::kKeyGenerate, payload).status, Status::kSuccess);
  EXPECT_EQ(harness_.try_open(kBackend).error().status, Status::kLimitReached) << "the service's own";
}

TEST_F(Reload, ChangesTheMemoryForReplayWindows) {
  TestSession session = harness_.open();
  const uint32_t first = session.generate(Algorithm::kAes256Gcm);
  ASSERT_EQ(session.decrypt(first, session.encrypt(first, "x").payload).status, Status::kSuccess);
  gateway().limits.window_bytes = 1;
  ASSERT_EQ(reload(), Status::kSuccess);
  const uint32_t second = session.generate(Algorithm::kAes256Gcm);
  EXPECT_EQ(session.decrypt(second, session.encrypt(second, "x").payload).status, Status::kLimitReached);
  EXPECT_EQ(session.decrypt(first, session.encrypt(first, "y").payload).status, Status::kSuccess)
      << "what it has it keeps";
}

TEST_F(Reload, GivesNoNewTokensUnlessTheRateChanges) {
  gateway().rate_limit = {1000, 5, 100};
  ASSERT_EQ(reload(), Status::kSuccess);
  TestSession session = harness_.open();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ping(session), Status::kSuccess);
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(ping(session), Status::kRateLimited) << "as if nothing had happened";
  next_.clients.erase(next_.clients.begin());
  ASSERT_EQ(reload(), Status::kSuccess);
  next_ = test_config();
  gateway().rate_limit = {1000, 5, 100};
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(ping(session), Status::kRateLimited) << "not by leaving and coming back either";
  gateway().rate_limit = {1000, 6, 100};
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(ping(session), Status::kSuccess);
}

TEST_F(Reload, TellsWhatNeedsARestartUntilThatIsTakenBack) {
  const auto told = [&] {
    const std::vector<std::string> warnings = service_warnings(harness_.service().state());
    return std::ranges::any_of(warnings, [](const std::string& warning) {
      return warning.find("sessions.slots, which needs a restart") != std::string::npos;
    });
  };
  EXPECT_FALSE(told());
  next_.sessions.slots = 5;
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_TRUE(told());
  EXPECT_EQ(harness_.service().state().config.sessions.slots, test_config().sessions.slots);
  next_ = test_config();
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_FALSE(told());
}

TEST_F(Reload, ChangesNothingWhenTheStoreRefuses) {
  TestSession session = harness_.open();
  next_.clients = {backend(), backend()};
  EXPECT_EQ(reload(), Status::kInvalidArgument);
  EXPECT_EQ(ping(session), Status::kSuccess);
  EXPECT_NO_FATAL_FAILURE(session.generate(Algorithm::kAes256Gcm));
  EXPECT_EQ(current_metrics(harness_.service().state()).reloads, 0u);
}

TEST_F(Reload, IsCounted) {
  ASSERT_EQ(reload(), Status::kSuccess);
  ASSERT_EQ(reload(), Status::kSuccess);
  EXPECT_EQ(current_metrics(harness_.service().state()).reloads, 2u);
}

TEST_F(Reload, IsNotNoticedByWhoWorksMeanwhile) {
  std::atomic<bool> done{false};
  std::atomic<int> rounds{0};
  std::vector<std::thread> workers;
  for (const uint32_t uid : {kGateway, kBackend}) {
    workers.emplace_back([&, uid] {
      TestSession session = harness_.open(uid);
      const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
      while (!done) {
        const Answer sealed = session.encrypt(key, "text");
        ASSERT_EQ(sealed.status, Status::kSuccess);
        ASSERT_EQ(session.decrypt(key, sealed.payload).status, Status::kSuccess);
        ++rounds;
      }
    });
  }
  for (int i = 0; i < 200 || rounds < 50; ++i) {
    gateway().limits.volatile_keys = static_cast<uint32_t>(i);
    gateway().rate_limit.burst = static_cast<uint32_t>(1 + i % 2);
    EXPECT_EQ(reload(), Status::kSuccess);
  }
  done = true;
  for (std::thread& worker : workers) worker.join();
}

}  // namespace
}  // namespace wvds::service::testing
