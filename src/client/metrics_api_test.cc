#include <gtest/gtest.h>

#include "client/testing/fake_service.h"
#include "protocol/metrics_messages.h"

namespace wvds::client::testing {
namespace {

using Metrics = ClientTest;
using protocol::testing::encoding_of;

// Each field has a value of its own, so that none can stand for another.
protocol::MetricsAnswer some_metrics() {
  protocol::MetricsAnswer metrics;
  metrics.epoch = 1;
  metrics.uptime_ms = 2;
  metrics.fips_mode = protocol::FipsMode::kPreferred;
  metrics.fips_state = protocol::FipsState::kUnavailable;
  metrics.locked_memory = true;
  metrics.place = WVDS_PLACE_TPM;
  uint32_t next = 10;
  for (uint32_t* number :
       {&metrics.sessions, &metrics.session_limit, &metrics.warnings, &metrics.session_keys, &metrics.volatile_keys,
        &metrics.persistent_keys, &metrics.damaged_keys, &metrics.reloads, &metrics.failed_reloads}) {
    *number = next++;
  }
  for (uint64_t* number :
       {&metrics.sessions_opened, &metrics.refused_strangers, &metrics.refused_service_limit,
        &metrics.refused_client_limit, &metrics.refused_not_ready, &metrics.wasted_wakeups, &metrics.rate_limited,
        &metrics.locked_bytes, &metrics.locked_bytes_limit, &metrics.window_bytes, &metrics.window_bytes_limit}) {
    *number = next++;
  }
  metrics.audit_entry = next++;
  metrics.audit_lost = next++;
  metrics.audit_hash.fill(std::byte{0x5c});
  metrics.reservations_fail = 1;
  metrics.use_levels = {30, 31, 32, 33, 34};
  return metrics;
}

TEST_F(Metrics, TellTheStateOfTheWholeService) {
  service.answers(encoding_of(some_metrics()));
  wvds_metrics metrics;
  ASSERT_EQ(wvds_metrics_get(session, &metrics), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_METRICS);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(metrics.epoch, 1u);
  EXPECT_EQ(metrics.uptime_ms, 2u);
  EXPECT_EQ(metrics.fips_mode, static_cast<uint32_t>(WVDS_FIPS_MODE_PREFERRED));
  EXPECT_EQ(metrics.fips_state, static_cast<uint32_t>(WVDS_FIPS_UNAVAILABLE));
  EXPECT_EQ(metrics.memory_is_locked, 1u);
  EXPECT_EQ(metrics.place, static_cast<uint32_t>(WVDS_PLACE_TPM));
  EXPECT_EQ(metrics.num_sessions, 10u);
  EXPECT_EQ(metrics.max_sessions, 11u);
  EXPECT_EQ(metrics.num_warnings, 12u);
  EXPECT_EQ(metrics.num_session_keys, 13u);
  EXPECT_EQ(metrics.num_volatile_keys, 14u);
  EXPECT_EQ(metrics.num_persistent_keys, 15u);
  EXPECT_EQ(metrics.num_damaged_keys, 16u);
  EXPECT_EQ(metrics.num_reloads, 17u);
  EXPECT_EQ(metrics.num_failed_reloads, 18u);
  EXPECT_EQ(metrics.num_sessions_opened, 19u);
  EXPECT_EQ(metrics.num_refused_strangers, 20u);
  EXPECT_EQ(metrics.num_refused_service_limit, 21u);
  EXPECT_EQ(metrics.num_refused_client_limit, 22u);
  EXPECT_EQ(metrics.num_refused_not_ready, 23u);
  EXPECT_EQ(metrics.num_wasted_wakeups, 24u);
  EXPECT_EQ(metrics.num_rate_limited, 25u);
  EXPECT_EQ(metrics.locked_bytes, 26u);
  EXPECT_EQ(metrics.max_locked_bytes, 27u);
  EXPECT_EQ(metrics.window_bytes, 28u);
  EXPECT_EQ(metrics.max_window_bytes, 29u);
  EXPECT_EQ(metrics.audit_entry, 30u);
  EXPECT_EQ(metrics.num_audit_lost, 31u);
  EXPECT_EQ(metrics.audit_hash[31], 0x5c);
  EXPECT_EQ(metrics.reservations_fail, 1u);
  EXPECT_EQ(metrics.num_by_use_level[WVDS_USE_LEVEL_UNDER_50], 30u);
  EXPECT_EQ(metrics.num_by_use_level[WVDS_USE_LEVEL_USED_UP], 34u);
  EXPECT_EQ(metrics.num_operations, 0u);
  EXPECT_EQ(metrics.num_keys, 0u);
}

TEST_F(Metrics, CountRequestsByStatusAndLatency) {
  protocol::MetricsAnswer answer;
  answer.operations = {{0, {{Status::kInvalidType, 4}}, 0, {}},
                       {WVDS_OP_RANDOM, {{Status::kSuccess, 20}, {Status::kRateLimited, 2}}, 900, {0, 1, 2}}};
  service.answers(encoding_of(answer));
  wvds_metrics metrics;
  ASSERT_EQ(wvds_metrics_get(session, &metrics), WVDS_SUCCESS);
  ASSERT_EQ(metrics.num_operations, 2u);
  EXPECT_EQ(metrics.operations[0].operation, 0u);
  EXPECT_EQ(metrics.operations[0].num_by_status[WVDS_INVALID_TYPE], 4u);
  const wvds_operation_metrics& random = metrics.operations[1];
  EXPECT_EQ(random.operation, static_cast<wvds_operation>(WVDS_OP_RANDOM));
  EXPECT_EQ(random.num_requests, 22u);
  EXPECT_EQ(random.num_by_status[WVDS_SUCCESS], 20u);
  EXPECT_EQ(random.num_by_status[WVDS_RATE_LIMITED], 2u);
  EXPECT_EQ(random.num_timed, 3u);
  EXPECT_EQ(random.timed_ns, 900u);
  EXPECT_EQ(random.num_by_latency[2], 2u);
  EXPECT_EQ(WVDS_LATENCY_LIMIT_NS(2), 1024u);
}

TEST_F(Metrics, NameTheFullestKeys) {
  protocol::MetricsAnswer answer;
  answer.most_used_keys = {{17, 2, 90, 100}, {4, 1, 80, 100}};
  service.answers(encoding_of(answer));
  wvds_metrics metrics;
  ASSERT_EQ(wvds_metrics_get(session, &metrics), WVDS_SUCCESS);
  ASSERT_EQ(metrics.num_keys, 2u);
  EXPECT_EQ(metrics.keys[0].key_id, 17u);
  EXPECT_EQ(metrics.keys[0].version, 2u);
  EXPECT_EQ(metrics.keys[0].uses, 90u);
  EXPECT_EQ(metrics.keys[0].use_limit, 100u);
  EXPECT_EQ(metrics.keys[1].key_id, 4u);
}

TEST_F(Metrics, HoldWhatFitsOfANewerService) {
  protocol::MetricsAnswer answer;
  for (unsigned type = 1; type <= WVDS_METRICS_MAX_OPERATIONS + 1; ++type) {
    answer.operations.push_back({static_cast<uint8_t>(type), {{static_cast<Status>(0x7f), 1}}, 0, {}});
  }
  service.answers(encoding_of(answer));
  wvds_metrics metrics;
  ASSERT_EQ(wvds_metrics_get(session, &metrics), WVDS_SUCCESS);
  ASSERT_EQ(metrics.num_operations, static_cast<uint32_t>(WVDS_METRICS_MAX_OPERATIONS));
  EXPECT_EQ(metrics.operations[WVDS_METRICS_MAX_OPERATIONS - 1].num_requests, 1u) << "also with an unknown status";
  EXPECT_EQ(metrics.reserved[0], 0u);
}

TEST_F(Metrics, NeedAPlace) {
  EXPECT_EQ(wvds_metrics_get(session, nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_TRUE(service.seen.empty());
}

}  // namespace
}  // namespace wvds::client::testing
