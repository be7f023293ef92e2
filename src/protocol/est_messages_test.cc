#include "protocol/est_messages.h"

#include <gtest/gtest.h>

#include "protocol/frame.h"
#include "protocol/testing/hex.h"

namespace wvds::protocol {
namespace {

using testing::Buffer;
using testing::changed;
using testing::copy_of;
using testing::encoded;
using testing::encoding_of;
using testing::repeated;
using testing::status_of;
using testing::text;
using testing::untrusted;

// Offsets of docs/protocol.md
constexpr size_t kCount = 24, kCaFailure = 28, kFailureHead = 16, kFirst = kCaFailure + kFailureHead;

EstCertificateState some_certificate(std::string name) {
  EstCertificateState state;
  state.phase = EstPhase::kDue;
  state.key_type = Algorithm::kEcdsaP256;
  state.key_id = 1;
  state.previous_key_id = 2;
  state.failures = 3;
  state.not_before = 4;
  state.not_after = 5;
  state.renew_at = 6;
  state.next_attempt = 7;
  state.fingerprint.fill(std::byte{8});
  state.name = std::move(name);
  state.subject = "CN=m\xc3\xbcller";
  state.failure = EstFailure{"clock", "the year is 1970", "Set it.", 9};
  return state;
}

EstStatusAnswer some_status() {
  return {10, 11, 12, EstFailure{"timeout", "", "", 13}, {some_certificate("device"), some_certificate("tls")}};
}

EstStatusAnswer no_failure() { return {1, 0, 0, std::nullopt, {}}; }

TEST(EstStatusAnswer, GivesItsFields) {
  const Buffer payload = encoding_of(some_status());
  const auto answer = EstStatusAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->generation, 10u);
  EXPECT_EQ(answer->attempts, 11u);
  EXPECT_EQ(answer->ca_fetched_at, 12u);
  EXPECT_EQ(answer->ca_failure, some_status().ca_failure);
  EXPECT_EQ(answer->certificates, some_status().certificates);
}

TEST(EstStatusAnswer, HasOneLength) {
  EXPECT_TRUE(testing::refuses_every_prefix<EstStatusAnswer>(encoding_of(some_status())));
  EXPECT_TRUE(testing::refuses_one_byte_more<EstStatusAnswer>(encoding_of(some_status())));
}

TEST(EstStatusAnswer, RejectsWhatIsNoState) {
  const Buffer payload = encoding_of(some_status());
  const size_t first = kFirst + some_status().ca_failure->name.size();
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, first, 4)), Status::kSuccess);
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, first, 5)), Status::kInvalidPayload) << "phase";
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, first + 2, 1)), Status::kInvalidPayload) << "reserved";
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, first + 84, 0x1b)), Status::kInvalidPayload) << "no text";
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, kCount, 17)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, kCount + 3, 0xff)), Status::kInvalidPayload);
}

TEST(EstStatusAnswer, RejectsAFailureWithoutAName) {
  const Buffer payload = encoding_of(no_failure());
  EXPECT_EQ(status_of<EstStatusAnswer>(payload), Status::kSuccess);
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, kCaFailure, 1)), Status::kInvalidPayload) << "its time";
  EXPECT_EQ(status_of<EstStatusAnswer>(changed(payload, kCaFailure + 14, 1)), Status::kInvalidPayload) << "reserved";
}

TEST(EstStatusAnswer, RejectsTextsThatAreTooLong) {
  EstStatusAnswer answer = no_failure();
  answer.ca_failure = EstFailure{"x", std::string(kMaxEstDetailSize, 'd'), "", 0};
  Buffer payload = encoding_of(answer);
  payload.push_back(std::byte{'d'});
  payload = changed(payload, kCaFailure + 10, 0x01);  // 513
  EXPECT_EQ(status_of<EstStatusAnswer>(payload), Status::kInvalidPayload);
}

TEST(EstStatusAnswer, CutsAndCleansTextsThatQuoteAServer) {
  EstStatusAnswer answer = no_failure();
  EstCertificateState certificate = some_certificate(std::string(40, 'n'));
  certificate.subject = std::string(255, 's') + "\xc3\xbc";  // the character would be cut in two
  certificate.failure = EstFailure{"bad-http", "\x1b[31mred" + std::string(600, 'x'), "a\nb", 1};
  answer.certificates = {certificate};
  const Buffer payload = encoding_of(answer);
  const auto decoded = EstStatusAnswer::decode(untrusted(payload));
  ASSERT_TRUE(decoded);
  const EstCertificateState& shown = decoded->certificates.at(0);
  EXPECT_EQ(shown.name, std::string(32, 'n'));
  EXPECT_EQ(shown.subject, std::string(255, 's'));
  EXPECT_TRUE(shown.failure->detail.starts_with("?[31mredxx"));
  EXPECT_EQ(shown.failure->detail.size(), kMaxEstDetailSize);
  EXPECT_EQ(shown.failure->advice, "a?b");
}

TEST(EstStatusAnswer, FitsWithEverythingFull) {
  EstStatusAnswer answer = no_failure();
  const EstFailure failure{std::string(99, 'n'), std::string(999, 'd'), std::string(999, 'a'), UINT64_MAX};
  answer.ca_failure = failure;
  EstCertificateState certificate = some_certificate(std::string(99, 'n'));
  certificate.subject = std::string(999, 's');
  certificate.failure = failure;
  answer.certificates.assign(kMaxEstCertificates, certificate);
  Buffer out(kMaxAnswerPayload);
  EXPECT_TRUE(answer.encode(out));
  answer.certificates.push_back(certificate);
  EXPECT_EQ(answer.encode(out).error().status, Status::kInvalidArgument);
}

TEST(EstCertificateRequest, GivesItsFields) {
  const EstCertificateRequest request{{7, 65536}, EstWhich::kPrevious, "device"};
  const Buffer payload = encoding_of(request);
  const auto decoded = EstCertificateRequest::decode(untrusted(payload));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->part.generation, 7u);
  EXPECT_EQ(decoded->part.offset, 65536u);
  EXPECT_EQ(decoded->which, EstWhich::kPrevious);
  EXPECT_EQ(decoded->name, "device");
  EXPECT_TRUE(testing::refuses_every_prefix<EstCertificateRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<EstCertificateRequest>(payload));
}

TEST(EstCertificateRequest, RejectsWhatItMayNotHold) {
  const Buffer payload = encoding_of(EstCertificateRequest{{0, 0}, EstWhich::kCurrent, "device"});
  EXPECT_EQ(status_of<EstCertificateRequest>(payload), Status::kSuccess);
  EXPECT_EQ(status_of<EstCertificateRequest>(changed(payload, 8, 1)), Status::kInvalidPayload) << "offset alone";
  EXPECT_EQ(status_of<EstCertificateRequest>(changed(payload, 12, 2)), Status::kInvalidPayload) << "which";
  EXPECT_EQ(status_of<EstCertificateRequest>(changed(payload, 14, 1)), Status::kInvalidPayload) << "reserved";
  EXPECT_EQ(status_of<EstCertificateRequest>(changed(payload, 16, 7)), Status::kInvalidPayload) << "no text";
  EXPECT_EQ(status_of<EstCertificateRequest>(changed(Buffer(16), 0, 1)), Status::kInvalidPayload) << "no name";
  Buffer out(100);
  EXPECT_EQ((EstCertificateRequest{{}, EstWhich::kCurrent, std::string(33, 'n')}).encode(out).error().status,
            Status::kInvalidArgument);
  EXPECT_EQ((EstCertificateRequest{{}, EstWhich::kCurrent, ""}).encode(out).error().status, Status::kInvalidArgument);
}

TEST(EstCertificateRequest, RejectsANameThatIsTooLong) {
  Buffer payload = encoding_of(EstCertificateRequest{{}, EstWhich::kCurrent, std::string(32, 'n')});
  EXPECT_EQ(status_of<EstCertificateRequest>(payload), Status::kSuccess);
  payload.push_back(std::byte{'n'});
  EXPECT_EQ(status_of<EstCertificateRequest>(changed(payload, 13, 33)), Status::kInvalidPayload);
}

TEST(EstCaCertificatesRequest, HasOneLengthAndNoReservedBits) {
  const Buffer payload = encoding_of(EstCaCertificatesRequest{{7, 1}});
  EXPECT_EQ(status_of<EstCaCertificatesRequest>(payload), Status::kSuccess);
  EXPECT_TRUE(testing::refuses_every_prefix<EstCaCertificatesRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<EstCaCertificatesRequest>(payload));
  EXPECT_EQ(status_of<EstCaCertificatesRequest>(changed(payload, 12, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstCaCertificatesRequest>(changed(payload, 0, 0)), Status::kInvalidPayload) << "offset alone";
  EXPECT_EQ(status_of<EstCaCertificatesRequest>(changed(payload, 11, 1)), Status::kInvalidPayload) << "offset";
}

Buffer piece(uint64_t generation, uint32_t total, uint32_t key_id, const Buffer& bytes) {
  return encoded([&](MutableBytes out) { return encode_est_part_answer(generation, total, key_id, bytes, out); });
}

TEST(EstPartAnswer, GivesItsFields) {
  const Buffer payload = piece(3, 100, 17, text("PEM"));
  const auto answer = EstPartAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->generation, 3u);
  EXPECT_EQ(answer->total, 100u);
  EXPECT_EQ(answer->key_id, 17u);
  EXPECT_EQ(copy_of(answer->bytes), text("PEM"));
}

TEST(EstPartAnswer, RejectsLengthsThatLie) {
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, 3, 0, text("PEM"))), Status::kSuccess);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, 3, 0, {})), Status::kSuccess);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, 2, 0, text("PEM"))), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, 0, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, kMaxEstPemSize, 0, {})), Status::kSuccess);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, kMaxEstPemSize + 1, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(3, 99999, 0, Buffer(kMaxEstPartSize + 1))), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstPartAnswer>(piece(0, 3, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstPartAnswer>(Buffer(15)), Status::kInvalidPayload);
}

TEST(EstWait, HasOneLengthAndABound) {
  const Buffer payload = encoding_of(EstWaitRequest{5, kMaxEstWaitMs});
  const auto request = EstWaitRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->known, 5u);
  EXPECT_EQ(request->milliseconds, kMaxEstWaitMs);
  EXPECT_TRUE(testing::refuses_every_prefix<EstWaitRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<EstWaitRequest>(payload));
  EXPECT_EQ(status_of<EstWaitRequest>(encoding_of(EstWaitRequest{5, kMaxEstWaitMs + 1})), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstWaitRequest>(changed(payload, 12, 1)), Status::kInvalidPayload);
  const Buffer answer = encoding_of(EstWaitAnswer{6});
  EXPECT_EQ(EstWaitAnswer::decode(untrusted(answer))->generation, 6u);
  EXPECT_TRUE(testing::refuses_every_prefix<EstWaitAnswer>(answer));
  EXPECT_TRUE(testing::refuses_one_byte_more<EstWaitAnswer>(answer));
}

TEST(EstRenewRequest, GivesItsFieldsAndRejectsOthers) {
  const Buffer payload = encoding_of(EstRenewRequest{kEstRenewNow, "device"});
  const auto request = EstRenewRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->flags, kEstRenewNow);
  EXPECT_EQ(request->name, "device");
  EXPECT_TRUE(testing::refuses_every_prefix<EstRenewRequest>(payload));
  EXPECT_TRUE(testing::refuses_one_byte_more<EstRenewRequest>(payload));
  EXPECT_EQ(status_of<EstRenewRequest>(changed(payload, 0, 2)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstRenewRequest>(changed(payload, 2, 1)), Status::kInvalidPayload);
  EXPECT_EQ(status_of<EstRenewRequest>(Buffer(4)), Status::kSuccess) << "the CA certificates";
}

Buffer event(uint32_t milliseconds, RelayEvent event, uint32_t connection, const Buffer& bytes) {
  return encoded(
      [&](MutableBytes out) { return encode_est_relay_request(milliseconds, event, connection, bytes, out); });
}

Buffer task(RelayTask task, uint16_t port, uint32_t connection, uint32_t most, const Buffer& bytes) {
  return encoded([&](MutableBytes out) { return encode_est_relay_answer(task, port, connection, most, bytes, out); });
}

TEST(EstRelayRequest, GivesItsFields) {
  const Buffer payload = event(20, RelayEvent::kReceived, 3, text("bytes"));
  const auto request = EstRelayRequest::decode(untrusted(payload));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->milliseconds, 20u);
  EXPECT_EQ(request->event, RelayEvent::kReceived);
  EXPECT_EQ(request->connection, 3u);
  EXPECT_EQ(copy_of(request->bytes), text("bytes"));
}

TEST(EstRelayRequest, RejectsEventsThatMakeNoSense) {
  const auto status = [](const Buffer& payload) { return status_of<EstRelayRequest>(payload); };
  EXPECT_EQ(status(event(0, RelayEvent::kNone, 0, {})), Status::kSuccess);
  EXPECT_EQ(status(event(0, RelayEvent::kNone, 1, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, RelayEvent::kNone, 0, Buffer(1))), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, RelayEvent::kConnected, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, RelayEvent::kConnected, 1, {})), Status::kSuccess);
  EXPECT_EQ(status(event(0, RelayEvent::kSent, 1, Buffer(1))), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, RelayEvent::kReceived, 1, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, RelayEvent::kReceived, 1, Buffer(kMaxRelayBytes))), Status::kSuccess);
  EXPECT_EQ(status(event(0, RelayEvent::kReceived, 1, Buffer(kMaxRelayBytes + 1))), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, RelayEvent::kFailed, 1, Buffer(kMaxRelayTextSize))), Status::kSuccess);
  EXPECT_EQ(status(event(0, RelayEvent::kFailed, 1, Buffer(kMaxRelayTextSize + 1))), Status::kInvalidPayload);
  EXPECT_EQ(status(event(0, static_cast<RelayEvent>(6), 1, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(event(kMaxEstWaitMs + 1, RelayEvent::kNone, 0, {})), Status::kInvalidPayload);
  for (const size_t reserved : {5, 6, 7})
    EXPECT_EQ(status(changed(event(0, RelayEvent::kNone, 0, {}), reserved, 1)), Status::kInvalidPayload);
}

TEST(EstRelayAnswer, GivesItsFields) {
  const Buffer payload = task(RelayTask::kConnect, 443, 3, 0, text("est.example"));
  const auto answer = EstRelayAnswer::decode(untrusted(payload));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->task, RelayTask::kConnect);
  EXPECT_EQ(answer->port, 443u);
  EXPECT_EQ(answer->connection, 3u);
  EXPECT_EQ(copy_of(answer->bytes), text("est.example"));
}

TEST(EstRelayAnswer, RejectsTasksThatMakeNoSense) {
  const auto status = [](const Buffer& payload) { return status_of<EstRelayAnswer>(payload); };
  EXPECT_EQ(status(task(RelayTask::kNothing, 0, 0, 0, {})), Status::kSuccess);
  EXPECT_EQ(status(task(RelayTask::kNothing, 0, 1, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(task(RelayTask::kConnect, 0, 1, 0, text("h"))), Status::kInvalidPayload) << "port";
  EXPECT_EQ(status(task(RelayTask::kConnect, 1, 1, 0, {})), Status::kInvalidPayload) << "host";
  EXPECT_EQ(status(task(RelayTask::kConnect, 1, 1, 0, Buffer(256))), Status::kInvalidPayload) << "host";
  EXPECT_EQ(status(task(RelayTask::kSend, 0, 1, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(task(RelayTask::kSend, 0, 1, 0, Buffer(kMaxRelayBytes))), Status::kSuccess);
  EXPECT_EQ(status(task(RelayTask::kSend, 0, 1, 0, Buffer(kMaxRelayBytes + 1))), Status::kInvalidPayload);
  EXPECT_EQ(status(task(RelayTask::kReceive, 0, 1, 1, {})), Status::kSuccess);
  EXPECT_EQ(status(task(RelayTask::kReceive, 0, 1, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(task(RelayTask::kReceive, 0, 1, kMaxRelayBytes + 1, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(task(RelayTask::kReceive, 0, 1, 1, Buffer(1))), Status::kInvalidPayload);
  EXPECT_EQ(status(task(RelayTask::kClose, 0, 1, 0, {})), Status::kSuccess);
  EXPECT_EQ(status(task(RelayTask::kClose, 7, 1, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(task(static_cast<RelayTask>(5), 0, 1, 0, {})), Status::kInvalidPayload);
  EXPECT_EQ(status(changed(task(RelayTask::kNothing, 0, 0, 0, {}), 1, 1)), Status::kInvalidPayload);
}

}  // namespace
}  // namespace wvds::protocol
