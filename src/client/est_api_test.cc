#include <gtest/gtest.h>

#include <cstring>

#include "client/testing/fake_service.h"
#include "protocol/est_messages.h"
#include "protocol/operations.h"

namespace wvds::client::testing {
namespace {

using protocol::Operation;
using protocol::testing::encoded;
using protocol::testing::encoding_of;
using protocol::testing::untrusted;

using Est = ClientTest;

Buffer part(uint64_t generation, size_t total, uint32_t key_id, const Buffer& bytes) {
  return encoded([&](MutableBytes out) {
    return protocol::encode_est_part_answer(generation, static_cast<uint32_t>(total), key_id, bytes, out);
  });
}

Buffer task(protocol::RelayTask task, uint16_t port, uint32_t connection, uint32_t most, const Buffer& bytes) {
  return encoded(
      [&](MutableBytes out) { return protocol::encode_est_relay_answer(task, port, connection, most, bytes, out); });
}

// ---- Status

TEST_F(Est, TellsTheState) {
  protocol::EstCertificateState device;
  device.phase = protocol::EstPhase::kDue;
  device.key_type = Algorithm::kEcdsaP384;
  device.key_id = 1;
  device.previous_key_id = 2;
  device.failures = 3;
  device.not_before = 4;
  device.not_after = 5;
  device.renew_at = 6;
  device.next_attempt = 7;
  device.fingerprint.fill(std::byte{8});
  device.name = "device";
  device.subject = "CN=gw";
  device.failure = protocol::EstFailure{"timeout", "no answer", "Wait.", 9};
  const protocol::EstStatusAnswer answer{10, 11, 12, protocol::EstFailure{"clock", "", "", 13}, {device, {}}};
  service.answers(encoding_of(answer));
  wvds_est_state state;
  ASSERT_EQ(wvds_est_status(session, &state), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_EST_STATUS);
  EXPECT_TRUE(sent().empty());
  EXPECT_EQ(state.generation, 10u);
  EXPECT_EQ(state.num_attempts, 11u);
  EXPECT_EQ(state.ca_fetched_at, 12u);
  EXPECT_STREQ(state.ca_failure.name, "clock");
  EXPECT_EQ(state.ca_failure.at, 13u);
  ASSERT_EQ(state.num_certificates, 2u);
  const wvds_est_certificate_state& shown = state.certificates[0];
  EXPECT_EQ(shown.phase, static_cast<uint32_t>(WVDS_EST_DUE));
  EXPECT_EQ(shown.key_type, static_cast<wvds_algorithm>(WVDS_ECDSA_P384));
  EXPECT_EQ(shown.key_id, 1u);
  EXPECT_EQ(shown.previous_key_id, 2u);
  EXPECT_EQ(shown.num_failures, 3u);
  EXPECT_EQ(shown.not_before, 4u);
  EXPECT_EQ(shown.not_after, 5u);
  EXPECT_EQ(shown.renew_at, 6u);
  EXPECT_EQ(shown.next_attempt, 7u);
  EXPECT_EQ(shown.fingerprint[31], 8u);
  EXPECT_STREQ(shown.name, "device");
  EXPECT_STREQ(shown.subject, "CN=gw");
  EXPECT_STREQ(shown.failure.name, "timeout");
  EXPECT_STREQ(shown.failure.detail, "no answer");
  EXPECT_STREQ(shown.failure.advice, "Wait.");
  EXPECT_EQ(shown.failure.at, 9u);
  EXPECT_STREQ(state.certificates[1].failure.name, "");
}

TEST_F(Est, HoldsTheLongestTextsThatTheServiceSends) {
  protocol::EstStatusAnswer answer;
  answer.certificates.resize(WVDS_EST_MAX_CERTIFICATES);
  answer.certificates.back().name = std::string(WVDS_EST_MAX_NAME_SIZE, 'n');
  answer.certificates.back().subject = std::string(WVDS_EST_MAX_SUBJECT_SIZE, 's');
  answer.certificates.back().failure = protocol::EstFailure{"f", std::string(WVDS_EST_MAX_DETAIL_SIZE, 'd'),
                                                            std::string(WVDS_EST_MAX_ADVICE_SIZE, 'a'), 1};
  service.answers(encoding_of(answer));
  wvds_est_state state;
  ASSERT_EQ(wvds_est_status(session, &state), WVDS_SUCCESS);
  const wvds_est_certificate_state& last = state.certificates[WVDS_EST_MAX_CERTIFICATES - 1];
  EXPECT_EQ(std::strlen(last.name), WVDS_EST_MAX_NAME_SIZE);
  EXPECT_EQ(std::strlen(last.subject), WVDS_EST_MAX_SUBJECT_SIZE);
  EXPECT_EQ(std::strlen(last.failure.detail), WVDS_EST_MAX_DETAIL_SIZE);
  EXPECT_EQ(std::strlen(last.failure.advice), WVDS_EST_MAX_ADVICE_SIZE);
}

TEST_F(Est, ReportsAStateThatBreaksTheProtocol) {
  service.answers(repeated(0xFF, 40));
  wvds_est_state state;
  EXPECT_EQ(wvds_est_status(session, &state), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(state.num_certificates, 0u);
  EXPECT_EQ(wvds_est_status(session, nullptr), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_status(nullptr, &state), WVDS_INVALID_ARGUMENT);
}

// ---- Certificates

// PemService hands a text out in pieces, as est_service does.
struct PemService {
  std::string text;
  uint64_t generation = 5;
  size_t piece = 1000;
  std::function<void(size_t request)> before = [](size_t) {};
  size_t requests = 0;

  Buffer operator()(const Seen& request) {
    before(requests++);
    protocol::EstPart wanted;
    if (request.type == WVDS_OP_EST_CERTIFICATE) {
      const auto decoded = protocol::EstCertificateRequest::decode(untrusted(request.payload));
      EXPECT_TRUE(decoded);
      if (decoded->name != "device") return frame({}, Status::kCertificateNotFound);
      wanted = decoded->part;
    } else {
      wanted = protocol::EstCaCertificatesRequest::decode(untrusted(request.payload))->part;
    }
    const uint32_t key_id = request.type == WVDS_OP_EST_CERTIFICATE ? 17 : 0;
    if (wanted.generation != 0 && wanted.generation != generation)
      return frame(part(generation, text.size(), key_id, {}));
    return frame(part(generation, text.size(), key_id, testing::text(text.substr(wanted.offset, piece))));
  }
};

std::string numbered(size_t size, char first) {
  std::string out(1, first);
  for (size_t i = 0; out.size() < size; ++i) out += std::to_string(i) + "\n";
  return out;
}

class EstPem : public ClientTest {
 protected:
  wvds_status read_device(uint32_t which = WVDS_EST_CURRENT) {
    return wvds_est_certificate(session, out.data(), &length, out.size(), &key_id, "device", which);
  }
  void serve() {
    service.answer = [this](const Seen& request) { return pem(request); };
  }

  PemService pem{.text = numbered(100'000, 'a')};
  std::string out = std::string(WVDS_EST_MAX_PEM_SIZE, '\xEE');
  size_t length = 99;
  uint32_t key_id = 99;
};

TEST_F(EstPem, ComesWholeFromManyPieces) {
  serve();
  ASSERT_EQ(read_device(), WVDS_SUCCESS);
  EXPECT_EQ(length, pem.text.size());
  EXPECT_EQ(out.substr(0, length), pem.text);
  EXPECT_EQ(out[length], '\0');
  EXPECT_EQ(key_id, 17u);
  EXPECT_EQ(pem.requests, (pem.text.size() + 999) / 1000);
  const auto first = protocol::EstCertificateRequest::decode(untrusted(service.seen.front().payload));
  EXPECT_EQ(first->part.generation, 0u);
  EXPECT_EQ(first->which, protocol::EstWhich::kCurrent);
  EXPECT_EQ(read_device(WVDS_EST_PREVIOUS), WVDS_SUCCESS);
  EXPECT_EQ(protocol::EstCertificateRequest::decode(untrusted(sent()))->which, protocol::EstWhich::kPrevious);
}

TEST_F(EstPem, IsTheCasToo) {
  serve();
  ASSERT_EQ(wvds_est_ca_certificates(session, out.data(), &length, out.size()), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_EST_CA_CERTIFICATES);
  EXPECT_EQ(std::string(out.c_str()), pem.text);
  EXPECT_EQ(length, pem.text.size());
}

TEST_F(EstPem, BelongsTogetherAlthoughItChangesMeanwhile) {
  const std::string next = numbered(50'000, 'b');
  pem.before = [&](size_t request) {
    if (request == 7) pem.text = next, ++pem.generation;
  };
  serve();
  ASSERT_EQ(read_device(), WVDS_SUCCESS);
  EXPECT_EQ(out.substr(0, length), next);
}

TEST_F(EstPem, GivesUpOnATextThatNeverStandsStill) {
  ASSERT_EQ(wvds_set_timeout(session, 20), WVDS_SUCCESS);
  pem.before = [&](size_t) { ++pem.generation; };
  serve();
  EXPECT_EQ(read_device(), WVDS_TIMEOUT);
  EXPECT_EQ(length, 0u);
  EXPECT_EQ(key_id, 0u);
}

TEST_F(EstPem, NeedsRoomForItsNul) {
  pem.text = "chain";
  serve();
  out = "xxxxx";
  EXPECT_EQ(read_device(), WVDS_BUFFER_TOO_SMALL);
  EXPECT_EQ(out, std::string(5, '\0')) << "wiped";
  out = "xxxxxx";
  EXPECT_EQ(read_device(), WVDS_SUCCESS);
  EXPECT_EQ(out, std::string("chain\0", 6));
}

TEST_F(EstPem, IsNotThere) {
  serve();
  EXPECT_EQ(wvds_est_certificate(session, out.data(), &length, out.size(), &key_id, "other", WVDS_EST_CURRENT),
            WVDS_CERTIFICATE_NOT_FOUND);
  EXPECT_EQ(length, 0u);
}

TEST_F(EstPem, TakesNoArgumentsThatMakeNoSense) {
  const std::string long_name(WVDS_EST_MAX_NAME_SIZE + 1, 'n');
  const auto read = [&](const char* name, uint32_t which) {
    return wvds_est_certificate(session, out.data(), &length, out.size(), &key_id, name, which);
  };
  EXPECT_EQ(read(nullptr, WVDS_EST_CURRENT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(read("", WVDS_EST_CURRENT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(read(long_name.c_str(), WVDS_EST_CURRENT), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(read("device", 2), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_certificate(session, nullptr, &length, 5, &key_id, "device", 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_certificate(session, out.data(), nullptr, 5, &key_id, "device", 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_certificate(session, out.data(), &length, 5, nullptr, "device", 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_ca_certificates(session, out.data(), &length, 0), WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(EstPem, TrustsNoLengthsOfTheService) {
  const auto status_of = [&](std::vector<Buffer> answers) {
    size_t next = 0;
    service.answer = [&](const Seen&) { return frame(answers.at(next++)); };
    return read_device();
  };
  EXPECT_EQ(status_of({part(5, 6, 1, text("abc")), part(5, 6, 1, text("abcd"))}), WVDS_PROTOCOL_ERROR) << "too much";
  EXPECT_EQ(status_of({part(5, 6, 1, text("abc")), part(5, 7, 1, text("abcd"))}), WVDS_PROTOCOL_ERROR) << "total";
  EXPECT_EQ(status_of({part(5, 6, 1, text("abc")), part(5, 6, 2, text("abc"))}), WVDS_PROTOCOL_ERROR) << "key";
  EXPECT_EQ(status_of({part(5, 6, 1, text("abc")), part(6, 6, 1, text("abc"))}), WVDS_PROTOCOL_ERROR) << "mixed";
  EXPECT_EQ(status_of({part(5, 6, 1, {})}), WVDS_PROTOCOL_ERROR) << "no progress";
  EXPECT_EQ(status_of({part(5, WVDS_EST_MAX_PEM_SIZE, 1, text("abc"))}), WVDS_PROTOCOL_ERROR) << "endless";
  EXPECT_EQ(status_of({text("short")}), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(length, 0u);
  EXPECT_EQ(service.busy_slots, 0u);
}

// ---- Waiting and renewing

TEST_F(Est, WaitsForAnotherGeneration) {
  service.answers(encoding_of(protocol::EstWaitAnswer{6}));
  uint64_t generation = 0;
  EXPECT_EQ(wvds_est_wait(session, &generation, 5, 60'000), WVDS_SUCCESS);
  EXPECT_EQ(generation, 6u);
  const auto request = protocol::EstWaitRequest::decode(untrusted(sent()));
  EXPECT_EQ(request->known, 5u);
  EXPECT_EQ(request->milliseconds, protocol::kMaxEstWaitMs);
}

TEST_F(Est, AsksAgainUntilItsTimeIsOver) {
  size_t requests = 0;
  service.answer = [&](const Seen&) {
    return frame(encoding_of(protocol::EstWaitAnswer{++requests == 3 ? uint64_t{6} : 5}));
  };
  uint64_t generation = 0;
  EXPECT_EQ(wvds_est_wait(session, &generation, 5, 3'600'000), WVDS_SUCCESS);
  EXPECT_EQ(requests, 3u);
  service.answers(encoding_of(protocol::EstWaitAnswer{5}));
  EXPECT_EQ(wvds_est_wait(session, &generation, 5, 20), WVDS_TIMEOUT);
  EXPECT_EQ(generation, 0u);
  service.seen.clear();
  EXPECT_EQ(wvds_est_wait(session, &generation, 5, WVDS_NO_WAIT), WVDS_TIMEOUT);
  EXPECT_EQ(service.seen.size(), 1u) << "it looks once";
}

TEST_F(Est, LearnsThatTheServiceEndedWhileItWaits) {
  size_t requests = 0;
  service.answer = [&](const Seen&) {
    service.gone = ++requests == 2;
    return frame(encoding_of(protocol::EstWaitAnswer{5}));
  };
  uint64_t generation = 0;
  EXPECT_EQ(wvds_est_wait(session, &generation, 5, 3'600'000), WVDS_DISCONNECTED);
  EXPECT_EQ(requests, 2u);
}

TEST_F(Est, SaysThatTheServiceStops) {
  service.answers({}, Status::kNotReady);
  uint64_t generation = 0;
  EXPECT_EQ(wvds_est_wait(session, &generation, 5, 3'600'000), WVDS_NOT_READY);
  EXPECT_EQ(wvds_est_wait(session, nullptr, 5, 0), WVDS_INVALID_ARGUMENT);
}

TEST_F(Est, AsksForARenewal) {
  EXPECT_EQ(wvds_est_renew(session, "device", WVDS_EST_RENEW_NOW), WVDS_SUCCESS);
  EXPECT_EQ(sent_type(), WVDS_OP_EST_RENEW);
  EXPECT_EQ(sent(), encoding_of(protocol::EstRenewRequest{protocol::kEstRenewNow, "device"}));
  EXPECT_EQ(wvds_est_renew(session, nullptr, 0), WVDS_SUCCESS);
  EXPECT_EQ(sent(), encoding_of(protocol::EstRenewRequest{0, ""}));
  const size_t sent_so_far = service.seen.size();
  EXPECT_EQ(wvds_est_renew(session, "device", 2), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_renew(session, std::string(33, 'n').c_str(), 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(service.seen.size(), sent_so_far);
  service.answers(text("x"));
  EXPECT_EQ(wvds_est_renew(session, "device", 0), WVDS_PROTOCOL_ERROR);
}

// ---- Relay

class EstRelay : public ClientTest {
 protected:
  wvds_status relay(const wvds_est_event* event, uint32_t timeout_ms = WVDS_NO_WAIT) {
    return wvds_est_relay(session, &next, room.data(), room.size(), event, timeout_ms);
  }

  wvds_est_task next{};
  std::vector<uint8_t> room = std::vector<uint8_t>(WVDS_EST_MAX_RELAY_SIZE);
};

TEST_F(EstRelay, TakesTasks) {
  service.answers(task(protocol::RelayTask::kConnect, 443, 3, 0, text("est.example")));
  ASSERT_EQ(relay(nullptr), WVDS_SUCCESS);
  EXPECT_EQ(next.task, static_cast<uint32_t>(WVDS_EST_TASK_CONNECT));
  EXPECT_EQ(next.connection, 3u);
  EXPECT_EQ(next.port, 443u);
  EXPECT_STREQ(next.host, "est.example");
  service.answers(task(protocol::RelayTask::kSend, 0, 3, 0, text("bytes")));
  ASSERT_EQ(relay(nullptr), WVDS_SUCCESS);
  EXPECT_EQ(next.task, static_cast<uint32_t>(WVDS_EST_TASK_SEND));
  EXPECT_EQ(std::string(room.begin(), room.begin() + static_cast<ptrdiff_t>(next.len)), "bytes");
  service.answers(task(protocol::RelayTask::kReceive, 0, 3, 700, {}));
  ASSERT_EQ(relay(nullptr), WVDS_SUCCESS);
  EXPECT_EQ(next.task, static_cast<uint32_t>(WVDS_EST_TASK_RECEIVE));
  EXPECT_EQ(next.len, 700u);
  service.answers(task(protocol::RelayTask::kClose, 0, 3, 0, {}));
  ASSERT_EQ(relay(nullptr), WVDS_SUCCESS);
  EXPECT_EQ(next.task, static_cast<uint32_t>(WVDS_EST_TASK_CLOSE));
  service.answers(task(protocol::RelayTask::kNothing, 0, 0, 0, {}));
  ASSERT_EQ(relay(nullptr), WVDS_SUCCESS);
  EXPECT_EQ(next.task, static_cast<uint32_t>(WVDS_EST_TASK_NOTHING));
}

TEST_F(EstRelay, ReportsAnEventOnce) {
  size_t requests = 0;
  service.answer = [&](const Seen&) {
    return ++requests < 3 ? frame(task(protocol::RelayTask::kNothing, 0, 0, 0, {}))
                          : frame(task(protocol::RelayTask::kClose, 0, 3, 0, {}));
  };
  std::copy_n("bytes", 5, room.begin());
  const wvds_est_event event{WVDS_EST_EVENT_RECEIVED, 3, room.data(), 5};  // may lie where bytes will be written
  ASSERT_EQ(relay(&event, 3'600'000), WVDS_SUCCESS);
  const auto first = protocol::EstRelayRequest::decode(untrusted(service.seen[0].payload));
  EXPECT_EQ(first->event, protocol::RelayEvent::kReceived);
  EXPECT_EQ(first->connection, 3u);
  EXPECT_EQ(protocol::testing::copy_of(first->bytes), text("bytes"));
  for (const size_t later : {1u, 2u})
    EXPECT_EQ(protocol::EstRelayRequest::decode(untrusted(service.seen[later].payload))->event,
              protocol::RelayEvent::kNone);
}

TEST_F(EstRelay, SaysThatAnEventWasRateLimitedOnlyWhereItWasNotTaken) {
  service.answers({}, Status::kRateLimited);
  const wvds_est_event event{WVDS_EST_EVENT_CONNECTED, 3, nullptr, 0};
  EXPECT_EQ(relay(&event, 3'600'000), WVDS_RATE_LIMITED);
  size_t requests = 0;
  service.answer = [&](const Seen&) {
    return ++requests == 1 ? frame(task(protocol::RelayTask::kNothing, 0, 0, 0, {})) : frame({}, Status::kRateLimited);
  };
  EXPECT_EQ(relay(&event, 3'600'000), WVDS_SUCCESS);
  EXPECT_EQ(next.task, static_cast<uint32_t>(WVDS_EST_TASK_NOTHING));
}

TEST_F(EstRelay, TakesNoEventsThatMakeNoSense) {
  const auto status = [&](uint32_t event, uint32_t connection, size_t length) {
    const std::vector<uint8_t> bytes(length + 1);
    const wvds_est_event out{event, connection, bytes.data(), length};
    return relay(&out);
  };
  service.answers(task(protocol::RelayTask::kNothing, 0, 0, 0, {}));
  EXPECT_EQ(status(WVDS_EST_EVENT_NOTHING, 3, 0), WVDS_SUCCESS);
  EXPECT_EQ(status(WVDS_EST_EVENT_FAILED, 3, 256), WVDS_SUCCESS);
  EXPECT_EQ(status(WVDS_EST_EVENT_RECEIVED, 3, WVDS_EST_MAX_RELAY_SIZE), WVDS_SUCCESS);
  service.seen.clear();
  EXPECT_EQ(status(WVDS_EST_EVENT_CONNECTED, 0, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(status(WVDS_EST_EVENT_SENT, 3, 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(status(WVDS_EST_EVENT_RECEIVED, 3, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(status(WVDS_EST_EVENT_RECEIVED, 3, WVDS_EST_MAX_RELAY_SIZE + 1), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(status(WVDS_EST_EVENT_FAILED, 3, 257), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(status(6, 3, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_relay(session, nullptr, room.data(), room.size(), nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_relay(session, &next, nullptr, room.size(), nullptr, 0), WVDS_INVALID_ARGUMENT);
  EXPECT_EQ(wvds_est_relay(session, &next, room.data(), room.size() - 1, nullptr, 0), WVDS_BUFFER_TOO_SMALL);
  EXPECT_TRUE(service.seen.empty());
}

TEST_F(EstRelay, TrustsNoTaskOfTheService) {
  service.answers(task(protocol::RelayTask::kConnect, 443, 3, 0, text("two words")));
  EXPECT_EQ(relay(nullptr), WVDS_PROTOCOL_ERROR);
  EXPECT_EQ(next.task, 0u);
  EXPECT_STREQ(next.host, "");
  service.answers(task(protocol::RelayTask::kSend, 0, 3, 0, {}));
  EXPECT_EQ(relay(nullptr), WVDS_PROTOCOL_ERROR);
}

}  // namespace
}  // namespace wvds::client::testing
