#include "service/metrics.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "service/metrics_handler.h"
#include "service/op_table.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

using protocol::MetricsAnswer;
using protocol::OperationMetrics;

TEST(LatencyBucket, HasWhatTookNoLongerThanItsBound) {
  EXPECT_EQ(latency_bucket(0), 0u);
  EXPECT_EQ(latency_bucket(1), 0u);
  for (size_t bucket = 0; bucket + 1 < protocol::kLatencyBuckets; ++bucket) {
    EXPECT_EQ(latency_bucket(protocol::latency_bound_ns(bucket)), bucket);
    EXPECT_EQ(latency_bucket(protocol::latency_bound_ns(bucket) + 1), bucket + 1);
  }
  EXPECT_EQ(latency_bucket(UINT64_MAX), protocol::kLatencyBuckets - 1);
}

TEST(SessionCounters, TimeTheFirstRequestOfEachOperationAndThenOneIn16) {
  Metrics metrics;
  SessionCounters counters(metrics);
  EXPECT_TRUE(counters.begin_is_timed(1));
  for (int i = 1; i < 16; ++i) EXPECT_FALSE(counters.begin_is_timed(1)) << i;
  EXPECT_TRUE(counters.begin_is_timed(1));
  EXPECT_TRUE(counters.begin_is_timed(2)) << "each operation has its own turn";
}

TEST(SessionCounters, LeaveWhatTheyCounted) {
  Metrics metrics;
  auto ended = std::make_unique<SessionCounters>(metrics);
  const SessionCounters live(metrics);
  ended->count(3, Status::kSuccess);
  ended->timed(3, std::chrono::nanoseconds(300));
  ended->wasted_wakeup();
  const auto expect_all = [&] {
    const Totals totals = metrics.totals();
    EXPECT_EQ(totals.rows[3].by_status[0], 1u);
    EXPECT_EQ(totals.rows[3].latency_sum_ns, 300u);
    EXPECT_EQ(totals.rows[3].latencies[1], 1u);
    EXPECT_EQ(totals.wasted_wakeups, 1u);
  };
  expect_all();
  ended.reset();
  expect_all();
}

TEST(SessionCounters, AreNeverSeenToGoBack) {
  Metrics metrics;
  std::atomic<bool> done{false};
  std::thread worker([&] {
    for (int session = 0; session < 200; ++session) {
      SessionCounters counters(metrics);
      for (int i = 0; i < 50; ++i) counters.count(1, Status::kSuccess);
    }
    done = true;
  });
  uint64_t before = 0;
  while (!done) {
    const uint64_t now = metrics.totals().rows[1].by_status[0];
    EXPECT_GE(now, before);
    before = now;
  }
  worker.join();
  EXPECT_EQ(metrics.totals().rows[1].by_status[0], 10'000u);
}

class ServiceMetrics : public ::testing::Test {
 protected:
  MetricsAnswer metrics() { return current_metrics(harness_.service().state()); }
  static OperationMetrics of(const MetricsAnswer& metrics, uint8_t type) {
    for (const OperationMetrics& operation : metrics.operations) {
      if (operation.type == type) return operation;
    }
    return {};
  }
  static uint64_t count(const MetricsAnswer& metrics, uint8_t type, Status status) {
    for (const protocol::StatusCount& counted : of(metrics, type).statuses) {
      if (counted.status == status) return counted.requests;
    }
    return 0;
  }
  static uint8_t type(Operation operation) { return static_cast<uint8_t>(operation); }

  static config::ServiceConfig config() {
    config::ServiceConfig config = test_config();
    config.keys.use_limit = 100;
    config.sessions.total = 2;
    config.clients[0].limits.sessions = 1;
    config.clients[1].rate_limit = {1000, 5, 100};
    return config;
  }

  Harness harness_{config()};
};

TEST_F(ServiceMetrics, CountRequestsByOperationAndStatus) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(session.encrypt(key, "text").status, Status::kSuccess);
  EXPECT_EQ(session.encrypt(key + 1, "text").status, Status::kKeyNotFound);
  session.call(uint8_t{0xee}, {});
  session.send(Buffer(8));
  const MetricsAnswer now = metrics();
  EXPECT_EQ(count(now, type(Operation::kAesEncrypt), Status::kSuccess), 3u);
  EXPECT_EQ(count(now, type(Operation::kAesEncrypt), Status::kKeyNotFound), 1u);
  EXPECT_EQ(count(now, type(Operation::kKeyGenerate), Status::kSuccess), 1u);
  EXPECT_EQ(count(now, 0, Status::kInvalidType), 1u);
  EXPECT_EQ(count(now, 0, Status::kInvalidHeader), 1u);
  EXPECT_EQ(now.operations.size(), 3u) << "what nobody asked for is left out";
}

TEST_F(ServiceMetrics, GoOnWhenTheSessionHasEnded) {
  {
    harness_.open().call(Operation::kPing, {});
  }
  {
    harness_.open().call(Operation::kPing, {});
  }
  const MetricsAnswer now = metrics();
  EXPECT_EQ(count(now, type(Operation::kPing), Status::kSuccess), 2u);
  EXPECT_EQ(now.sessions_opened, 2u);
  EXPECT_EQ(now.sessions, 0u);
}

TEST_F(ServiceMetrics, TimeOneRequestIn16) {
  TestSession session = harness_.open();
  for (int i = 0; i < 17; ++i) session.call(Operation::kPing, {});
  uint64_t timed = 0;
  for (const uint64_t bucket : of(metrics(), type(Operation::kPing)).latencies) timed += bucket;
  EXPECT_EQ(timed, 2u);
}

TEST_F(ServiceMetrics, CountRefusedSessionsByReason) {
  EXPECT_FALSE(harness_.try_open(77).has_value());
  TestSession gateway = harness_.open(kGateway);
  EXPECT_FALSE(harness_.try_open(kGateway).has_value()) << "the client's limit";
  TestSession backend = harness_.open(kBackend);
  EXPECT_FALSE(harness_.try_open(kReader).has_value()) << "the service's limit";
  harness_.service().stop();
  EXPECT_FALSE(harness_.try_open(kReader).has_value());
  const MetricsAnswer now = metrics();
  EXPECT_EQ(now.sessions_opened, 2u);
  EXPECT_EQ(now.sessions, 2u);
  EXPECT_EQ(now.refused_strangers, 1u);
  EXPECT_EQ(now.refused_client_limit, 1u);
  EXPECT_EQ(now.refused_service_limit, 1u);
  EXPECT_EQ(now.refused_not_ready, 1u);
}

TEST_F(ServiceMetrics, CountLimitedRequestsAndWastedWakeUps) {
  TestSession session = harness_.open(kBackend);
  for (int i = 0; i < 7; ++i) session.call(Operation::kPing, {});
  session.handler().wasted_wakeup();
  EXPECT_EQ(metrics().rate_limited, 2u);
  EXPECT_EQ(metrics().wasted_wakeups, 1u);
}

TEST_F(ServiceMetrics, CountKeysByLifetime) {
  TestSession session = harness_.open();
  session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
  for (int i = 0; i < 2; ++i) session.generate(Algorithm::kMlKem768, 0, Lifetime::kVolatile);
  for (int i = 0; i < 3; ++i) session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  EXPECT_EQ(metrics().session_keys, 1u);
  EXPECT_EQ(metrics().volatile_keys, 2u);
  EXPECT_EQ(metrics().persistent_keys, 3u);
  EXPECT_EQ(metrics().damaged_keys, 0u);
  EXPECT_EQ(metrics().use_levels, (std::array<uint32_t, 5>{4, 0, 0, 0, 0})) << "ML-KEM keys don't encrypt";
}

TEST_F(ServiceMetrics, SortKeysByWhatTheyHaveUsed) {
  TestSession session = harness_.open();
  std::vector<uint32_t> keys;
  const int uses[] = {0, 49, 50, 74, 75, 89, 90, 99, 100};
  for (const int count : uses) {
    const bool stored = keys.size() % 2 == 0;
    keys.push_back(session.generate(Algorithm::kAes256Gcm, 0, stored ? Lifetime::kPersistent : Lifetime::kVolatile));
    for (int i = 0; i < count; ++i) ASSERT_EQ(session.encrypt(keys.back(), "x").status, Status::kSuccess);
  }
  const MetricsAnswer now = metrics();
  EXPECT_EQ(now.use_levels, (std::array<uint32_t, 5>{2, 2, 2, 2, 1}));
  ASSERT_EQ(now.most_used_keys.size(), 8u) << "one was never used";
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(now.most_used_keys[i], (protocol::MostUsedKey{keys[8 - i], 1, static_cast<uint64_t>(uses[8 - i]), 100}));
  }
}

TEST_F(ServiceMetrics, ForgetKeysThatNoLongerEncrypt) {
  TestSession session = harness_.open();
  const uint32_t retired = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  const uint32_t rotated = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  for (const uint32_t key : {retired, rotated}) ASSERT_EQ(session.encrypt(key, "x").status, Status::kSuccess);
  ASSERT_EQ(session.key_request(Operation::kKeyRetire, retired).status, Status::kSuccess);
  ASSERT_EQ(session.key_request(Operation::kKeyRotate, rotated).status, Status::kSuccess);
  EXPECT_EQ(metrics().use_levels, (std::array<uint32_t, 5>{1, 0, 0, 0, 0}));
  EXPECT_TRUE(metrics().most_used_keys.empty()) << "the new version was never used";
}

TEST_F(ServiceMetrics, TellTheMemoryOfReplayWindows) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  EXPECT_EQ(metrics().window_bytes, 0u);
  ASSERT_EQ(session.decrypt(key, session.encrypt(key, "text").payload).status, Status::kSuccess);
  EXPECT_GT(metrics().window_bytes, 0u);
  EXPECT_EQ(metrics().window_bytes_limit, config().replay_window.total_bytes);
}

TEST_F(ServiceMetrics, TellThatReservationsFail) {
  TestSession session = harness_.open();
  EXPECT_EQ(metrics().reservations_fail, 0u);
  harness_.medium().failing = true;
  // Ids of stored keys run out after some, and none can be reserved.
  protocol::KeyGenerateRequest request;
  request.key = {Algorithm::kAes256Gcm, Lifetime::kPersistent, 0, 0, ""};
  Buffer payload(protocol::kKeyTemplateFixedSize);
  ASSERT_TRUE(request.encode(payload).has_value());
  for (int i = 0; i < 200 && metrics().reservations_fail == 0; ++i) session.call(Operation::kKeyGenerate, payload);
  EXPECT_EQ(metrics().reservations_fail, 1u);
  harness_.medium().failing = false;
}

TEST_F(ServiceMetrics, AreAnsweredToWhoMayAsk) {
  TestSession session = harness_.open();
  session.call(Operation::kPing, {});
  harness_.clock().advance(std::chrono::seconds(2));
  const Answer answer = session.call(Operation::kMetrics, {});
  ASSERT_EQ(answer.status, Status::kSuccess);
  const auto told = MetricsAnswer::decode(UntrustedBytes(answer.payload));
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(count(*told, type(Operation::kPing), Status::kSuccess), 1u);
  EXPECT_EQ(count(*told, type(Operation::kMetrics), Status::kSuccess), 0u) << "not answered yet";
  EXPECT_EQ(told->uptime_ms, 2000u);
  EXPECT_EQ(told->epoch, harness_.service().state().epoch);
  EXPECT_EQ(told->fips_state, protocol::FipsState::kActive);
  EXPECT_EQ(told->session_limit, 2u);
  EXPECT_GT(told->locked_bytes_limit, 0u);
  EXPECT_LE(told->locked_bytes, told->locked_bytes_limit);
}

TEST(ServiceMetricsRight, IsOneOfItsOwn) {
  config::ServiceConfig config = test_config();
  std::erase(config.clients[0].operations, "metrics");
  Harness harness(config);
  TestSession session = harness.open();
  EXPECT_EQ(session.call(Operation::kStatus, {}).status, Status::kSuccess);
  EXPECT_EQ(session.call(Operation::kMetrics, {}).status, Status::kDenied);
}

}  // namespace
}  // namespace wvds::service::testing
