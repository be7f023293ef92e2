#include "service/session.h"

#include <gtest/gtest.h>

#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

Buffer ping() { return request_frame(static_cast<uint8_t>(Operation::kPing), {}); }

// changed is a good PING with another value in one byte of its header.
Buffer changed(size_t offset, uint8_t value) {
  Buffer frame = ping();
  frame[offset] = std::byte{value};
  return frame;
}

Buffer with_length(uint32_t length) {
  Buffer frame = ping();
  for (size_t i = 0; i < 4; ++i) frame[4 + i] = static_cast<std::byte>(length >> (8 * i));
  return frame;
}

class SessionFrame : public ::testing::Test {
 protected:
  Harness harness_;
  TestSession session_ = harness_.open();

  // The session is as good as before: a bad request costs nothing but its own answer.
  void TearDown() override { EXPECT_EQ(session_.send(ping()).status, Status::kSuccess); }
};

TEST_F(SessionFrame, AnswersAPing) {
  const Answer answer = session_.send(ping());
  EXPECT_EQ(answer.status, Status::kSuccess);
  EXPECT_TRUE(answer.payload.empty());
  EXPECT_EQ(session_.last_verdict(), channel::Verdict::kValid);
}

TEST_F(SessionFrame, RefusesBadMagic) {
  EXPECT_EQ(session_.send(changed(0, 0xC8)).status, Status::kInvalidHeader);
  EXPECT_EQ(session_.send(changed(0, 0)).status, Status::kInvalidHeader);
  EXPECT_EQ(session_.last_verdict(), channel::Verdict::kInvalid);
}

TEST_F(SessionFrame, RefusesAnotherVersion) { EXPECT_EQ(session_.send(changed(1, 2)).status, Status::kInvalidHeader); }
TEST_F(SessionFrame, RefusesFlags) { EXPECT_EQ(session_.send(changed(3, 1)).status, Status::kInvalidHeader); }

TEST_F(SessionFrame, RefusesEveryTypeThatIsNone) {
  for (unsigned type = 0; type < 256; ++type) {
    const protocol::OperationInfo* info = protocol::operation_info(static_cast<uint8_t>(type));
    if (info != nullptr && info->daemon == protocol::Daemon::kCryptoService) continue;
    ASSERT_EQ(session_.send(changed(2, static_cast<uint8_t>(type))).status, Status::kInvalidType) << type;
    ASSERT_EQ(session_.last_verdict(), channel::Verdict::kInvalid);
  }
}

TEST_F(SessionFrame, RefusesAPayloadOfOneByteTooMuch) {
  EXPECT_EQ(session_.send(with_length(65'537)).status, Status::kPayloadTooLarge);
  EXPECT_EQ(session_.send(with_length(0xffffffff)).status, Status::kPayloadTooLarge);
}

TEST_F(SessionFrame, TakesAPayloadOf65536Bytes) {
  EXPECT_EQ(session_.send(with_length(65'536)).status, Status::kInvalidPayload)
      << "a PING has none, but the frame is right";
}

TEST_F(SessionFrame, LeavesNothingInTheAnswerOfAFailure) {
  const Answer answer = session_.send(with_length(1));
  EXPECT_EQ(answer.status, Status::kInvalidPayload);
  EXPECT_TRUE(answer.payload.empty());
}

TEST_F(SessionFrame, RefusesALengthBeyondTheArea) {
  Buffer area = with_length(100);
  Buffer answer(protocol::kAnswerArea);
  session_.handler().handle({UntrustedBytes(area), answer});  // an area of 8 bytes
  session_.handler().answered();
  EXPECT_EQ(static_cast<Status>(answer[2]), Status::kInvalidHeader);
}

TEST_F(SessionFrame, RefusesAnAreaWithoutRoomForAHeader) {
  const Buffer area(7);
  Buffer answer(protocol::kAnswerArea);
  session_.handler().handle({UntrustedBytes(area), answer});
  session_.handler().answered();
  EXPECT_EQ(static_cast<Status>(answer[2]), Status::kInvalidHeader);
}

TEST_F(SessionFrame, WritesNothingWhereAnAnswerHasNoRoom) {
  const Buffer area = ping();
  Buffer answer(7, std::byte{0x55});
  EXPECT_EQ(session_.handler().handle({UntrustedBytes(area), answer}), channel::Verdict::kInvalid);
  session_.handler().answered();
  EXPECT_EQ(answer, Buffer(7, std::byte{0x55}));
}

TEST_F(SessionFrame, RefusesEveryOperationWithAShortPayload) {
  for (const protocol::OperationInfo& info : protocol::operations_of(protocol::Daemon::kCryptoService)) {
    const bool empty_is_right = info.operation >= Operation::kPing;
    const Answer none = session_.call(info.operation, {});
    EXPECT_EQ(none.status, empty_is_right ? Status::kSuccess : Status::kInvalidPayload) << info.name;
    const Answer one = session_.call(info.operation, Buffer(1));
    EXPECT_EQ(one.status, Status::kInvalidPayload) << info.name;
  }
}

TEST_F(SessionFrame, SurvivesThatMemoryRunsOut) {
  protocol::KeyGenerateRequest request;
  request.key = {Algorithm::kAes256Gcm, Lifetime::kPersistent, 0, 0, ""};
  Buffer payload(protocol::kKeyTemplateFixedSize);
  ASSERT_TRUE(request.encode(payload).has_value());
  harness_.medium().without_memory = true;
  EXPECT_EQ(session_.call(Operation::kKeyGenerate, payload).status, Status::kInternalError);
  harness_.medium().without_memory = false;
  EXPECT_EQ(session_.call(Operation::kKeyGenerate, payload).status, Status::kSuccess);
}

TEST_F(SessionFrame, SaysThatTheDiskFails) {
  protocol::KeyGenerateRequest request;
  request.key = {Algorithm::kAes256Gcm, Lifetime::kPersistent, 0, 0, ""};
  Buffer payload(protocol::kKeyTemplateFixedSize);
  ASSERT_TRUE(request.encode(payload).has_value());
  harness_.medium().failing = true;
  EXPECT_EQ(session_.call(Operation::kKeyGenerate, payload).status, Status::kStorageError);
  harness_.medium().failing = false;
}

TEST(SessionRights, RefuseWhatTheClientWasNotGiven) {
  config::ServiceConfig config = test_config();
  config.clients[0].operations = {"aes-encrypt"};
  Harness harness(config);
  TestSession session = harness.open(kGateway);
  for (const protocol::OperationInfo& info : protocol::operations_of(protocol::Daemon::kCryptoService)) {
    const bool allowed = info.operation == Operation::kAesEncrypt || info.operation == Operation::kPing ||
                         info.operation == Operation::kCapabilities;
    const Status status = session.call(info.operation, {}).status;
    EXPECT_EQ(status == Status::kDenied, !allowed) << info.name;
  }
}

TEST(SessionRights, AreLookedAtBeforeThePayload) {
  Harness harness;
  TestSession session = harness.open(kReader);
  EXPECT_EQ(session.call(Operation::kKeyImport, Buffer(1)).status, Status::kDenied);
}

class SessionRate : public ::testing::Test {
 protected:
  static config::ServiceConfig limited() {
    config::ServiceConfig config = test_config();
    for (config::Client& client : config.clients) client.rate_limit = {1000, 100, 100};
    config.clients[2].operations = {"aes-encrypt"};
    return config;
  }
  void exhaust(TestSession& session) {
    for (int i = 0; i < 100; ++i) ASSERT_EQ(session.send(ping()).status, Status::kSuccess) << i;
  }

  Harness harness_{limited()};
};

TEST_F(SessionRate, IsLimitedOverAllSessionsOfAPrincipal) {
  TestSession one = harness_.open();
  TestSession two = harness_.open();
  exhaust(one);
  EXPECT_EQ(two.send(ping()).status, Status::kRateLimited);
  EXPECT_EQ(two.last_verdict(), channel::Verdict::kInvalid);
}

TEST_F(SessionRate, OfOnePrincipalIsNotThatOfAnother) {
  TestSession gateway = harness_.open(kGateway);
  TestSession backend = harness_.open(kBackend);
  exhaust(gateway);
  ASSERT_EQ(gateway.send(ping()).status, Status::kRateLimited);
  EXPECT_EQ(backend.send(ping()).status, Status::kSuccess);
}

TEST_F(SessionRate, RefusesForTheWholeCooldownAndNoLonger) {
  TestSession session = harness_.open();
  exhaust(session);
  ASSERT_EQ(session.send(ping()).status, Status::kRateLimited);
  harness_.clock().advance(std::chrono::milliseconds(99));
  EXPECT_EQ(session.send(ping()).status, Status::kRateLimited);
  harness_.clock().advance(std::chrono::milliseconds(1));
  EXPECT_EQ(session.send(ping()).status, Status::kSuccess);
}

TEST_F(SessionRate, ComesBeforeThePayloadIsLookedAt) {
  TestSession session = harness_.open();
  exhaust(session);
  EXPECT_EQ(session.call(Operation::kAesEncrypt, {}).status, Status::kRateLimited);
}

TEST_F(SessionRate, CountsMalformedRequests) {
  TestSession session = harness_.open();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(session.send(changed(0, 0)).status, Status::kInvalidHeader);
  EXPECT_EQ(session.send(ping()).status, Status::kRateLimited);
}

TEST_F(SessionRate, CountsUnknownTypes) {
  TestSession session = harness_.open();
  for (int i = 0; i < 100; ++i) ASSERT_EQ(session.send(changed(2, 0)).status, Status::kInvalidType);
  EXPECT_EQ(session.send(ping()).status, Status::kRateLimited);
}

TEST_F(SessionRate, CountsDeniedRequests) {
  TestSession session = harness_.open(kReader);
  for (int i = 0; i < 100; ++i) ASSERT_EQ(session.call(Operation::kRandom, {}).status, Status::kDenied);
  EXPECT_EQ(session.send(ping()).status, Status::kRateLimited);
}

TEST_F(SessionRate, CountsWastedWakeUps) {
  TestSession session = harness_.open();
  for (int i = 0; i < 100; ++i) session.handler().wasted_wakeup();
  EXPECT_EQ(session.send(ping()).status, Status::kRateLimited);
}

TEST_F(SessionRate, SparesALimitedRequestAllCryptography) {
  TestSession session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  for (int i = 0; i < 99; ++i) ASSERT_EQ(session.send(ping()).status, Status::kSuccess);
  ASSERT_EQ(session.encrypt(key, "text").status, Status::kRateLimited);
  harness_.clock().advance(std::chrono::milliseconds(100));
  const Answer info = session.key_request(Operation::kKeyInfo, key);
  const auto decoded = protocol::KeyInfoAnswer::decode(UntrustedBytes(info.payload));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(decoded->versions.at(0).uses, 0u);
}

}  // namespace
}  // namespace wvds::service::testing
