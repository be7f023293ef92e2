#include "est_service/gateway.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/log.h"
#include "protocol/frame.h"
#include "protocol/operations.h"
#include "protocol/testing/hex.h"

namespace wvds::est_service {
namespace {

using protocol::Operation;
using protocol::testing::Buffer;
using protocol::testing::copy_of;
using protocol::testing::encoding_of;
using protocol::testing::text;
using protocol::testing::untrusted;

constexpr uint32_t kReader = 1;  // may read and wait
constexpr uint32_t kMaster = 2;  // may do everything
constexpr uint32_t kNobody = 3;  // a client of crypto_service only
constexpr uint32_t kRelay = 4;

config::Client client(std::string name, uint32_t uid, std::vector<std::string> operations) {
  config::Client out;
  out.name = std::move(name);
  out.uid = uid;
  out.operations = std::move(operations);
  out.rate_limit.requests_per_second = 0;
  return out;
}

config::ServiceConfig some_config() {
  config::ServiceConfig out;
  out.clients = {
      client("reader", kReader, {"est-status", "est-certificate", "est-ca-certificates", "est-wait"}),
      client("master", kMaster, {}),
      client("other", kNobody, {"aes-encrypt", "status"}),
      client("relay", kRelay, {"est-relay"}),
  };
  for (const auto& info : protocol::operations()) out.clients[1].operations.emplace_back(info.config_name);
  out.est.emplace();
  out.est->certificates.resize(2);  // the first is "device"
  out.est->certificates[1].name = "tls";
  return out;
}

CertificateStatus some_certificate() {
  CertificateStatus out;
  out.name = "device";
  out.key_type = Algorithm::kMlDsa65;
  out.phase = Phase::kDue;
  out.key_id = 17;
  out.previous_key_id = 16;
  out.subject = "CN=gw";
  out.fingerprint = std::string(62, '0') + "ab";
  out.chain_pem = "current chain";
  out.previous_chain_pem = "previous chain";
  out.not_before = 1;
  out.not_after = 2;
  out.renew_at = 3;
  out.next_attempt = -4;  // before 1970: none
  out.failures = 5;
  out.last_failure = LastFailure{"timeout", "no answer", "Wait.", 6};
  return out;
}

Snapshot some_snapshot() {
  Snapshot out;
  out.attempts = 7;
  out.certificates = {some_certificate()};
  out.ca_pem = "CA certificates";
  out.ca_fetched_at = 8;
  return out;
}

struct Answer {
  Status status = Status::kInternalError;
  Buffer payload;
};

// Client is one session, on this thread.
class Client {
 public:
  explicit Client(std::unique_ptr<channel::RequestHandler> handler) : handler_(std::move(handler)) {}

  Answer send(const Buffer& frame) {
    Buffer answer(protocol::kAnswerArea);
    verdict = handler_->handle({untrusted(frame), answer});
    handler_->answered();
    const auto decoded = protocol::AnswerFrame::decode(untrusted(answer));
    EXPECT_TRUE(decoded);
    return decoded ? Answer{decoded->status, copy_of(decoded->payload)} : Answer{};
  }

  Answer call(Operation operation, const Buffer& payload = {}) {
    Buffer head(protocol::kFrameHeaderSize);
    protocol::encode_request_header(static_cast<uint8_t>(operation), static_cast<uint32_t>(payload.size()),
                                    std::span(head).first<protocol::kFrameHeaderSize>());
    return send(protocol::testing::join({head, payload}));
  }

  Answer wait(uint64_t known, uint32_t milliseconds) {
    return call(Operation::kEstWait, encoding_of(protocol::EstWaitRequest{known, milliseconds}));
  }

  channel::Verdict verdict = channel::Verdict::kValid;

 private:
  std::unique_ptr<channel::RequestHandler> handler_;
};

class GatewayTest : public ::testing::Test {
 protected:
  Client open(uint32_t uid) {
    auto handler = gateway->open({uid, 0, 1, ""});
    EXPECT_TRUE(handler);
    return Client(handler ? std::move(*handler) : nullptr);
  }
  Status refusal(uint32_t uid) {
    const auto handler = gateway->open({uid, 0, 1, ""});
    return handler ? Status::kSuccess : handler.error().status;
  }
  void remake() { gateway.emplace(config, board, &relay); }

  config::ServiceConfig config = some_config();
  Board board;
  RelayHub relay;
  std::optional<Gateway> gateway{std::in_place, config, board, &relay};
};

TEST_F(GatewayTest, LetsInWhoHasARightHere) {
  EXPECT_EQ(refusal(kReader), Status::kSuccess);
  EXPECT_EQ(refusal(kRelay), Status::kSuccess);
  EXPECT_EQ(refusal(kNobody), Status::kDenied) << "a client of crypto_service only";
  EXPECT_EQ(refusal(99), Status::kDenied);
  EXPECT_EQ(gateway->session_count(), 0u);
}

TEST_F(GatewayTest, TellsPeersApartByTheirLabelWhereTheyHaveOne) {
  config.clients[0].label = "gateway";
  remake();
  EXPECT_TRUE(gateway->open({0, 0, 0, "gateway"}));
  EXPECT_FALSE(gateway->open({kReader, 0, 0, "other"}));
}

TEST_F(GatewayTest, LimitsSessions) {
  config.clients[0].limits.sessions = 2;
  config.sessions.total = 3;
  remake();
  {
    const Client one = open(kReader), two = open(kReader);
    EXPECT_EQ(refusal(kReader), Status::kLimitReached) << "the client's";
    const Client three = open(kMaster);
    EXPECT_EQ(refusal(kMaster), Status::kLimitReached) << "all";
    EXPECT_EQ(gateway->session_count(), 3u);
  }
  EXPECT_EQ(gateway->session_count(), 0u);
  EXPECT_EQ(refusal(kReader), Status::kSuccess);
}

TEST_F(GatewayTest, AnswersInvalidTypeToWhatIsCryptoServices) {
  Client client = open(kMaster);
  for (unsigned type = 0; type < 256; ++type) {
    const auto* info = protocol::operation_info(static_cast<uint8_t>(type));
    const bool ours =
        info != nullptr && (info->daemon == protocol::Daemon::kEstService || info->operation == Operation::kPing);
    const Status status = client.call(static_cast<Operation>(type)).status;
    EXPECT_EQ(status == Status::kInvalidType, !ours) << type;
  }
  EXPECT_EQ(client.call(Operation::kPing).status, Status::kSuccess);
  EXPECT_EQ(client.call(Operation::kPing, Buffer(1)).status, Status::kInvalidPayload);
}

TEST_F(GatewayTest, RefusesWhatTheClientWasNotGiven) {
  Client client = open(kReader);
  EXPECT_EQ(client.call(Operation::kEstRenew, Buffer(4)).status, Status::kDenied);
  EXPECT_EQ(client.verdict, channel::Verdict::kInvalid);
  EXPECT_EQ(client.call(Operation::kEstRelay, Buffer(12)).status, Status::kDenied);
  EXPECT_TRUE(board.take_wishes().empty());
  EXPECT_EQ(client.call(Operation::kEstStatus).status, Status::kSuccess);
  EXPECT_EQ(client.verdict, channel::Verdict::kValid);
}

TEST_F(GatewayTest, RefusesFramesThatAreNone) {
  Client client = open(kMaster);
  EXPECT_EQ(client.send(Buffer(3)).status, Status::kInvalidHeader);
  EXPECT_EQ(client.send(Buffer(100, std::byte{0xFF})).status, Status::kInvalidHeader);
  EXPECT_EQ(client.call(Operation::kPing).status, Status::kSuccess);
}

TEST_F(GatewayTest, LimitsTheRateOverAllSessions) {
  config.clients[0].rate_limit = {.requests_per_second = 1, .burst = 3, .cooldown_ms = 1000};
  remake();
  Client one = open(kReader), two = open(kReader);
  EXPECT_EQ(one.call(Operation::kPing).status, Status::kSuccess);
  EXPECT_EQ(one.send(Buffer(3)).status, Status::kInvalidHeader) << "nonsense counts too";
  EXPECT_EQ(one.call(Operation::kPing).status, Status::kSuccess);
  EXPECT_EQ(two.call(Operation::kPing).status, Status::kRateLimited);
}

TEST_F(GatewayTest, TellsTheState) {
  board.publish(some_snapshot());
  Client client = open(kReader);
  const Answer answer = client.call(Operation::kEstStatus);
  ASSERT_EQ(answer.status, Status::kSuccess);
  const auto status = protocol::EstStatusAnswer::decode(untrusted(answer.payload));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->generation, 1u);
  EXPECT_EQ(status->attempts, 7u);
  EXPECT_EQ(status->ca_fetched_at, 8u);
  EXPECT_FALSE(status->ca_failure);
  ASSERT_EQ(status->certificates.size(), 1u);
  const protocol::EstCertificateState& device = status->certificates[0];
  EXPECT_EQ(device.name, "device");
  EXPECT_EQ(device.key_type, Algorithm::kMlDsa65);
  EXPECT_EQ(device.phase, protocol::EstPhase::kDue);
  EXPECT_EQ(device.key_id, 17u);
  EXPECT_EQ(device.previous_key_id, 16u);
  EXPECT_EQ(device.subject, "CN=gw");
  EXPECT_EQ(device.fingerprint[31], std::byte{0xab});
  EXPECT_EQ(device.not_before, 1u);
  EXPECT_EQ(device.not_after, 2u);
  EXPECT_EQ(device.renew_at, 3u);
  EXPECT_EQ(device.next_attempt, 0u);
  EXPECT_EQ(device.failures, 5u);
  EXPECT_EQ(device.failure, (protocol::EstFailure{"timeout", "no answer", "Wait.", 6}));
}

struct Read {
  Status status = Status::kSuccess;
  uint64_t generation = 0;
  uint32_t total = 0;
  uint32_t key_id = 0;
  Buffer bytes;
};

Read read_of(const Answer& answer) {
  if (answer.status != Status::kSuccess) return {.status = answer.status, .bytes = {}};
  const auto part = protocol::EstPartAnswer::decode(untrusted(answer.payload));
  EXPECT_TRUE(part);
  return {Status::kSuccess, part->generation, part->total, part->key_id, copy_of(part->bytes)};
}

Read read_certificate(Client& client, const std::string& name, protocol::EstWhich which, protocol::EstPart part = {}) {
  return read_of(
      client.call(Operation::kEstCertificate, encoding_of(protocol::EstCertificateRequest{part, which, name})));
}

TEST_F(GatewayTest, HandsOutChainsWithTheirKeys) {
  board.publish(some_snapshot());
  Client client = open(kReader);
  const Read current = read_certificate(client, "device", protocol::EstWhich::kCurrent);
  EXPECT_EQ(current.bytes, text("current chain"));
  EXPECT_EQ(current.key_id, 17u);
  EXPECT_EQ(current.generation, 1u);
  const Read previous = read_certificate(client, "device", protocol::EstWhich::kPrevious);
  EXPECT_EQ(previous.bytes, text("previous chain"));
  EXPECT_EQ(previous.key_id, 16u);
  const Read ca =
      read_of(client.call(Operation::kEstCaCertificates, encoding_of(protocol::EstCaCertificatesRequest{})));
  EXPECT_EQ(ca.bytes, text("CA certificates"));
  EXPECT_EQ(ca.key_id, 0u);
}

TEST_F(GatewayTest, SaysThatACertificateIsNotThere) {
  Client client = open(kReader);
  EXPECT_EQ(read_certificate(client, "device", protocol::EstWhich::kCurrent).status, Status::kCertificateNotFound);
  EXPECT_EQ(
      read_of(client.call(Operation::kEstCaCertificates, encoding_of(protocol::EstCaCertificatesRequest{}))).status,
      Status::kCertificateNotFound);
  Snapshot snapshot = some_snapshot();
  snapshot.certificates[0].previous_chain_pem.clear();
  board.publish(snapshot);
  EXPECT_EQ(read_certificate(client, "device", protocol::EstWhich::kPrevious).status, Status::kCertificateNotFound);
  EXPECT_EQ(read_certificate(client, "no", protocol::EstWhich::kCurrent).status, Status::kCertificateNotFound);
  EXPECT_EQ(client.verdict, channel::Verdict::kValid);
}

TEST_F(GatewayTest, HandsOutTextsOfAnySizeInPiecesOfOneGeneration) {
  Snapshot snapshot = some_snapshot();
  for (size_t i = 0; snapshot.ca_pem.size() < 200'000; ++i) snapshot.ca_pem += std::to_string(i) + "\n";
  board.publish(snapshot);
  Client client = open(kReader);
  Buffer all;
  uint64_t generation = 0;
  while (all.size() < snapshot.ca_pem.size()) {
    const protocol::EstCaCertificatesRequest request{{generation, static_cast<uint32_t>(all.size())}};
    const Read piece = read_of(client.call(Operation::kEstCaCertificates, encoding_of(request)));
    ASSERT_EQ(piece.status, Status::kSuccess);
    ASSERT_FALSE(piece.bytes.empty());
    EXPECT_EQ(piece.total, snapshot.ca_pem.size());
    generation = piece.generation;
    all.insert(all.end(), piece.bytes.begin(), piece.bytes.end());
  }
  EXPECT_EQ(all, text(snapshot.ca_pem));
  const auto beyond = encoding_of(protocol::EstCaCertificatesRequest{{generation, static_cast<uint32_t>(all.size())}});
  EXPECT_EQ(client.call(Operation::kEstCaCertificates, beyond).status, Status::kInvalidPayload);
  snapshot.attempts = 99;
  board.publish(snapshot);
  const Read changed = read_of(
      client.call(Operation::kEstCaCertificates, encoding_of(protocol::EstCaCertificatesRequest{{generation, 10}})));
  EXPECT_EQ(changed.generation, generation + 1);
  EXPECT_TRUE(changed.bytes.empty());
}

TEST_F(GatewayTest, PassesWishesOn) {
  Client client = open(kMaster);
  const auto renew = [&](uint8_t flags, const char* name) {
    return client.call(Operation::kEstRenew, encoding_of(protocol::EstRenewRequest{flags, name})).status;
  };
  EXPECT_EQ(renew(0, "device"), Status::kSuccess);
  EXPECT_EQ(renew(protocol::kEstRenewNow, "tls"), Status::kSuccess) << "configured, and not there yet";
  EXPECT_EQ(renew(0, ""), Status::kSuccess);
  EXPECT_EQ(renew(0, "nothing"), Status::kCertificateNotFound);
  EXPECT_EQ(board.take_wishes(), (std::set<Wish>{{"", false}, {"device", false}, {"tls", true}}));
}

TEST_F(GatewayTest, AnswersAWaitWhenSomethingChanged) {
  board.publish(some_snapshot());
  Client client = open(kReader);
  const auto generation = [](const Answer& answer) {
    return protocol::EstWaitAnswer::decode(untrusted(answer.payload))->generation;
  };
  EXPECT_EQ(generation(client.wait(0, 1000)), 1u) << "at once";
  EXPECT_EQ(generation(client.wait(1, 0)), 1u) << "nothing new";
  std::jthread change([this] {
    Snapshot next = some_snapshot();
    next.attempts = 8;
    board.publish(next);
  });
  uint64_t seen = 1;
  while (seen == 1) seen = generation(client.wait(1, 1000));
  EXPECT_EQ(seen, 2u);
}

TEST_F(GatewayTest, WakesAllWhoWaitWhenItStops) {
  board.publish(some_snapshot());
  config.sessions.total = 40;
  config.clients[0].limits.sessions = 32;
  remake();
  constexpr int kWaiting = 32;
  std::atomic<int> begun{0}, ended{0};
  std::vector<std::jthread> clients;
  for (int i = 0; i < kWaiting; ++i) {
    clients.emplace_back([&] {
      Client client = open(kReader);
      begun.fetch_add(1);
      Status status = Status::kSuccess;
      while (status == Status::kSuccess) status = client.wait(1, 1000).status;
      EXPECT_EQ(status, Status::kNotReady);
      ended.fetch_add(1);
    });
  }
  while (begun.load() < kWaiting) std::this_thread::yield();
  gateway->stop();
  clients.clear();
  EXPECT_EQ(ended.load(), kWaiting);
  EXPECT_EQ(refusal(kReader), Status::kNotReady);
}

TEST_F(GatewayTest, RelaysOnlyWhereItIsConfigured) {
  gateway.emplace(config, board);
  Client client = open(kRelay);
  EXPECT_EQ(client.call(Operation::kEstRelay, Buffer(12)).status, Status::kNotReady);
}

TEST_F(GatewayTest, EndsTheConnectionsOfARelayWithItsSession) {
  std::optional<Client> client = open(kRelay);
  std::jthread dialing([this] {
    const auto stream = RelayDialer(relay).dial("est.example", 443, platform::monotonic_now() + std::chrono::hours(1));
    ASSERT_FALSE(stream);
    EXPECT_EQ(stream.error().kind, est::FailureKind::kConnectFailed);
    EXPECT_EQ(stream.error().detail, "the relay ended");
  });
  const Buffer next = protocol::testing::encoded([](MutableBytes out) {
    return protocol::encode_est_relay_request(1000, protocol::RelayEvent::kNone, 0, {}, out);
  });
  Buffer task(12);
  while (task[0] == std::byte{0}) task = client->call(Operation::kEstRelay, next).payload;
  EXPECT_EQ(protocol::EstRelayAnswer::decode(untrusted(task))->task, protocol::RelayTask::kConnect);
  client.reset();
}

TEST_F(GatewayTest, SurvivesEveryKindOfGarbage) {
  board.publish(some_snapshot());
  Client client = open(kMaster);
  uint32_t state = 1;
  const auto any = [&] { return state = state * 1664525 + 1013904223, state >> 8; };
  const auto ours = protocol::operations_of(protocol::Daemon::kEstService);
  for (int round = 0; round < 20'000; ++round) {
    Buffer payload(any() % 40);
    for (std::byte& byte : payload) byte = static_cast<std::byte>(any() % 4 == 0 ? any() : 0);
    const Operation operation = ours[any() % ours.size()].operation;
    // waiting is not what this test is for
    if (operation == Operation::kEstWait && payload.size() == 16) payload[8] = payload[9] = std::byte{0};
    if (operation == Operation::kEstRelay && payload.size() >= 12) payload[0] = payload[1] = std::byte{0};
    const Answer answer = client.call(operation, payload);
    ASSERT_LE(answer.status, kLastServiceStatus);
    ASSERT_NE(answer.status, Status::kInternalError);
  }
}

}  // namespace
}  // namespace wvds::est_service
