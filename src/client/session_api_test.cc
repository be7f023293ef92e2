#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "client/testing/fake_service.h"

namespace wvds::client::testing {
namespace {

using Session = ClientTest;

TEST(Connect, RefusesNullAsTheHandlesPlace) {
  EXPECT_EQ(wvds_connect(nullptr, "/nowhere", WVDS_DEFAULT_TIMEOUT), WVDS_INVALID_ARGUMENT);
}

TEST(Connect, SaysThatNobodyServes) {
  auto* session = reinterpret_cast<wvds_session*>(0x1000);
  EXPECT_EQ(wvds_connect(&session, "/nonexistent/of/the/test/crypto.sock", WVDS_DEFAULT_TIMEOUT), WVDS_CONNECT_FAILED);
  EXPECT_EQ(session, nullptr);
}

TEST(Connect, HandsOnWhatTheServiceRefuses) {
  FakeService service;
  fake_service = &service;
  for (const Status status : {Status::kDenied, Status::kLimitReached, Status::kNotReady, Status::kTimeout,
                              Status::kConnectFailed, Status::kProtocolError}) {
    service.refuses = status;
    wvds_session* session = nullptr;
    const Result<> result = open_session(&session, "somewhere", &connect_to_fake, 1);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().status, status);
    EXPECT_EQ(session, nullptr);
  }
}

TEST_F(Session, ConnectsToItsAddress) { EXPECT_EQ(service.address, "somewhere"); }

TEST_F(Session, EndsAndFreesItsSlots) {
  wvds_call* call = nullptr;
  uint8_t* payload = nullptr;
  ASSERT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0), WVDS_SUCCESS);
  EXPECT_EQ(service.busy_slots, 1u);
  EXPECT_EQ(wvds_disconnect(session), WVDS_SUCCESS);
  session = nullptr;
  EXPECT_EQ(service.busy_slots, 0u);
}

TEST(Disconnect, AllowsNull) { EXPECT_EQ(wvds_disconnect(nullptr), WVDS_SUCCESS); }

TEST(Handle, IsRefusedWhenItIsNull) {
  uint64_t epoch = 7;
  EXPECT_EQ(wvds_ping(nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_reconnect(nullptr, 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_set_timeout(nullptr, 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_epoch(nullptr, &epoch), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(epoch, 0u);
}

TEST(Handle, IsRefusedWhenItIsOtherMemory) {
  alignas(16) std::array<unsigned char, sizeof(wvds_session)> garbage;
  garbage.fill(0xA5);
  auto* handle = reinterpret_cast<wvds_session*>(garbage.data());
  EXPECT_EQ(wvds_ping(handle), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_disconnect(handle), WVDS_INVALID_ARGUMENT);
}

TEST_F(Session, TellsTheEpoch) {
  uint64_t epoch = 0;
  EXPECT_EQ(wvds_epoch(session, &epoch), WVDS_SUCCESS);
  EXPECT_EQ(epoch, 1u);
  EXPECT_EQ(wvds_epoch(session, nullptr), WVDS_INVALID_ARGUMENT);
}

TEST_F(Session, SaysThatTheServiceIsGoneAndReconnects) {
  service.gone = true;
  EXPECT_EQ(wvds_ping(session), WVDS_DISCONNECTED);
  service.epoch = 2;
  EXPECT_EQ(wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
  uint64_t epoch = 0;
  EXPECT_EQ(wvds_epoch(session, &epoch), WVDS_SUCCESS);
  EXPECT_EQ(epoch, 2u);
  EXPECT_EQ(service.connections, 2u);
  EXPECT_EQ(service.address, "somewhere");
}

TEST_F(Session, StaysDisconnectedAfterAFailedReconnectAndMayTryAgain) {
  service.refuses = Status::kConnectFailed;
  EXPECT_EQ(wvds_reconnect(session, 1), WVDS_CONNECT_FAILED);
  EXPECT_EQ(wvds_ping(session), WVDS_DISCONNECTED);
  uint64_t epoch = 0;
  EXPECT_EQ(wvds_epoch(session, &epoch), WVDS_SUCCESS);
  EXPECT_EQ(epoch, 1u);
  service.refuses = Status::kSuccess;
  EXPECT_EQ(wvds_reconnect(session, 1), WVDS_SUCCESS);
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
}

TEST_F(Session, ReleasesItsCallsWhenItReconnects) {
  wvds_call* call = nullptr;
  uint8_t* payload = nullptr;
  ASSERT_EQ(wvds_request_begin(session, &call, &payload, WVDS_OP_PING, 0), WVDS_SUCCESS);
  ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);
  ASSERT_EQ(wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  EXPECT_EQ(wvds_collect(call, WVDS_NO_WAIT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_call_release(call), WVDS_INVALID_ARGUMENT);
}

TEST_F(Session, RefusesATimeoutOfNothing) {
  EXPECT_EQ(wvds_set_timeout(session, WVDS_NO_WAIT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_set_timeout(session, 1), WVDS_SUCCESS);
  EXPECT_EQ(wvds_set_timeout(session, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
}

TEST(SessionDeadline, IsTheSessionsUnlessTheCallNamesAnother) {
  client::Session session("somewhere", &connect_to_fake);
  using std::chrono::milliseconds;
  const auto from_now = [&session](uint32_t timeout_ms) {
    const auto before = std::chrono::steady_clock::now();
    return session.deadline(timeout_ms) - before;
  };
  EXPECT_GE(from_now(WVDS_DEFAULT_TIMEOUT), milliseconds(5000));
  ASSERT_TRUE(session.set_timeout(3'600'000));
  EXPECT_GE(from_now(WVDS_DEFAULT_TIMEOUT), milliseconds(3'600'000));
  EXPECT_LT(from_now(70), milliseconds(3'600'000));
  ASSERT_TRUE(session.set_timeout(WVDS_DEFAULT_TIMEOUT));
  EXPECT_LT(from_now(WVDS_DEFAULT_TIMEOUT), milliseconds(3'600'000));
}

TEST_F(Session, DropsTheAnswerOfACallThatTimedOut) {
  service.silent = true;
  EXPECT_EQ(wvds_ping(session), WVDS_TIMEOUT);
  service.silent = false;
  EXPECT_EQ(wvds_ping(session), WVDS_SUCCESS);
}

TEST_F(Session, IsBusyWhenEverySlotWasAbandoned) {
  service.silent = true;
  EXPECT_EQ(wvds_ping(session), WVDS_TIMEOUT);
  EXPECT_EQ(wvds_ping(session), WVDS_TIMEOUT);
  EXPECT_EQ(wvds_ping(session), WVDS_BUSY);
}

TEST_F(Session, TurnsExceptionsIntoStatuses) {
  service.answer = [](const Seen&) -> Buffer { throw std::bad_alloc(); };
  EXPECT_EQ(wvds_ping(session), WVDS_OUT_OF_MEMORY);
  service.answer = [](const Seen&) -> Buffer { throw std::runtime_error("defect"); };
  EXPECT_EQ(wvds_ping(session), WVDS_INTERNAL_ERROR);
}

}  // namespace
}  // namespace wvds::client::testing
