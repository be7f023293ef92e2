#include "protocol/metrics_messages.h"

#include <gtest/gtest.h>

#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::encoding_of;
using testing::status_of;
using testing::untrusted;

// Offsets of docs/protocol.md
constexpr size_t kFipsMode = 16, kFipsState = 17, kLocked = 18;
constexpr size_t kReservationsFail = 156;
constexpr size_t kMetricsOperationCount = 216, kKeyCount = 218, kFirstOperation = 220;
constexpr size_t kFirstStatus = kFirstOperation + 2, kSecondStatus = kFirstStatus + 9;
constexpr size_t kFirstOperationSize = 2 + 2 * 9 + 8 + 8 * kLatencyBuckets;

MetricsAnswer some_metrics() {
  MetricsAnswer metrics;
  metrics.epoch = 0x0123456789abcdef;
  metrics.fips_mode = FipsMode::kRequired;
  metrics.fips_state = FipsState::kActive;
  metrics.locked_memory = true;
  metrics.sessions = 2;
  metrics.rate_limited = 3;
  metrics.use_levels = {1, 2, 3, 4, 5};
  metrics.reservations_fail = 1;
  metrics.failed_reloads = 6;
  metrics.operations = {{0x01, {{Status::kSuccess, 5}, {Status::kRateLimited, 3}}, 700, {1, 2}}, {0x50, {}, 0, {}}};
  metrics.most_used_keys = {{17, 2, 90, 100}};
  return metrics;
}

TEST(MetricsAnswer, GivesItsFields) {
  const Buffer payload = encoding_of(some_metrics());
  const auto metrics = MetricsAnswer::decode(untrusted(payload));
  ASSERT_TRUE(metrics);
  EXPECT_EQ(metrics->epoch, 0x0123456789abcdefu);
  EXPECT_EQ(metrics->fips_mode, FipsMode::kRequired);
  EXPECT_EQ(metrics->fips_state, FipsState::kActive);
  EXPECT_TRUE(metrics->locked_memory);
  EXPECT_EQ(metrics->sessions, 2u);
  EXPECT_EQ(metrics->rate_limited, 3u);
  EXPECT_EQ(metrics->use_levels, some_metrics().use_levels);
  EXPECT_EQ(metrics->reservations_fail, 1u);
  EXPECT_EQ(metrics->failed_reloads, 6u);
  EXPECT_EQ(metrics->operations, some_metrics().operations);
  EXPECT_EQ(metrics->most_used_keys, some_metrics().most_used_keys);
  EXPECT_EQ(encoding_of(*metrics), payload);
}

TEST(MetricsAnswer, HasOneLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<MetricsAnswer>(encoding_of(some_metrics())));
  EXPECT_TRUE(testing::refuses_one_byte_more<MetricsAnswer>(encoding_of(some_metrics())));
}

TEST(MetricsAnswer, RejectsUnknownStates) {
  const Buffer payload = encoding_of(some_metrics());
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kFipsMode, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kFipsState, 3)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kLocked, 2)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kReservationsFail, 2)), Status::kInvalidPayload);
}

TEST(MetricsAnswer, RejectsCountsThatLie) {
  const Buffer payload = encoding_of(some_metrics());
  for (const size_t offset : {kMetricsOperationCount, kMetricsOperationCount + 1, kKeyCount, kKeyCount + 1}) {
    EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, offset, 0xff)), Status::kInvalidPayload) << offset;
  }
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kFirstOperation + 1, 0xff)), Status::kInvalidPayload);
}

TEST(MetricsAnswer, RejectsListsOutOfOrder) {
  const Buffer payload = encoding_of(some_metrics());
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kFirstOperation, 0x50)), Status::kInvalidPayload) << "twice";
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kFirstOperation, 0x51)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kSecondStatus, 0)), Status::kInvalidPayload) << "twice";
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kFirstStatus, 0x13)), Status::kInvalidPayload);
}

TEST(MetricsAnswer, RejectsAStatusThatNeverTravelsAndAnEmptyCount) {
  const Buffer payload = encoding_of(some_metrics());
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kSecondStatus, 0x7f)), Status::kSuccess);
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kSecondStatus, 0x80)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, kSecondStatus + 1, 0)), Status::kInvalidPayload);
}

TEST(MetricsAnswer, RejectsAKeyWithoutALimit) {
  const Buffer payload = encoding_of(some_metrics());
  EXPECT_EQ(status_of<MetricsAnswer>(changed(payload, payload.size() - 8, 0)), Status::kInvalidPayload);
}

TEST(MetricsAnswer, LaysItsListsOutAsThePageSays) {
  const Buffer payload = encoding_of(some_metrics());
  EXPECT_EQ(payload[kFirstOperation], std::byte{0x01});
  EXPECT_EQ(payload[kFirstOperation + kFirstOperationSize], std::byte{0x50});
  MetricsAnswer empty;
  EXPECT_EQ(encoding_of(empty).size(), kFirstOperation);
}

TEST(MetricsAnswer, IsNotEncodedWithMoreThanItMayHold) {
  Buffer out(1 << 20);
  MetricsAnswer metrics;
  metrics.most_used_keys.assign(kMaxMostUsedKeys + 1, {1, 1, 1, 1});
  EXPECT_EQ(metrics.encode(out).error().status, Status::kInvalidArgument);
  metrics = {};
  metrics.operations.resize(kMaxMetricsOperations + 1);
  EXPECT_EQ(metrics.encode(out).error().status, Status::kInvalidArgument);
}

TEST(LatencyBounds, DoubleFrom256Nanoseconds) {
  EXPECT_EQ(latency_bound_ns(0), 256u);
  EXPECT_EQ(latency_bound_ns(1), 512u);
  EXPECT_EQ(latency_bound_ns(kLatencyBuckets - 2), uint64_t{1} << 28);
}

}  // namespace
}  // namespace wvds::protocol
