// Version 1 of the wire as the first release spoke it, in tests/golden/v1_wire: today's library must write the same
// requests and understand the answers of then, today's service must answer the requests of then. So either side of a
// device can be upgraded before the other. The captures are never changed; made once by
//   wire_test --record FOLDER

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <set>

#include "calls.h"
#include "client/testing/fake_service.h"
#include "conversation.h"
#include "est_service/gateway.h"
#include "protocol/operations.h"
#include "service/testing/service_harness.h"

namespace wvds::wire {
namespace {

using client::testing::FakeService;
using client::testing::Seen;
using protocol::Operation;

constexpr size_t kHeader = protocol::kFrameHeaderSize;

// Side is one of the two services, made anew for each conversation.
class Side {
 public:
  virtual ~Side() = default;
  virtual channel::RequestHandler& handler() = 0;
};

class CryptoService : public Side {
 public:
  CryptoService() : handler_(std::move(*harness_.try_open(service::testing::kGateway))) {}
  channel::RequestHandler& handler() override { return *handler_; }

 private:
  service::testing::Harness harness_;
  std::unique_ptr<channel::RequestHandler> handler_;
};

config::ServiceConfig est_config() {
  config::ServiceConfig config = service::testing::test_config();
  config.est.emplace();
  config.est->certificates.resize(1);
  config.est->certificates[0].name = "device";
  return config;
}

est_service::Snapshot some_state() {
  est_service::CertificateStatus device;
  device.name = "device";
  device.key_type = Algorithm::kMlDsa65;
  device.phase = est_service::Phase::kDue;
  device.key_id = 7;
  device.subject = "CN=gateway 12";
  device.fingerprint = std::string(64, 'a');
  device.chain_pem = "-----BEGIN CERTIFICATE-----\nleaf\n-----END CERTIFICATE-----\n";
  device.not_before = 1'700'000'000;
  device.not_after = 1'800'000'000;
  device.renew_at = 1'790'000'000;
  device.next_attempt = 1'790'000'060;
  device.failures = 2;
  device.last_failure = est_service::LastFailure{"unreachable", "no route", "check the network", 1'790'000'000};
  est_service::Snapshot state;
  state.attempts = 5;
  state.certificates = {device};
  state.ca_pem = "-----BEGIN CERTIFICATE-----\nroot\n-----END CERTIFICATE-----\n";
  state.ca_fetched_at = 1'700'000'001;
  return state;
}

class EstService : public Side {
 public:
  EstService() : gateway_(config_, board_, &relay_) {
    board_.publish(some_state());
    handler_ = std::move(*gateway_.open({1, service::testing::kGateway, 1, ""}));
  }
  channel::RequestHandler& handler() override { return *handler_; }

 private:
  const config::ServiceConfig config_ = est_config();
  est_service::Board board_;
  est_service::RelayHub relay_;
  est_service::Gateway gateway_;
  std::unique_ptr<channel::RequestHandler> handler_;
};

struct Capture {
  const char* name;
  std::unique_ptr<Side> (*make)();
  void (*call)(wvds_session*);

  std::string path() const { return std::string(WVDS_SOURCE_DIR "/tests/golden/v1_wire/") + name; }
};
void PrintTo(const Capture& capture, std::ostream* out) { *out << capture.name; }

template <class Kind>
std::unique_ptr<Side> make() {
  return std::make_unique<Kind>();
}

const Capture kCaptures[] = {{"crypto_service", &make<CryptoService>, &call_crypto_service},
                             {"est_service", &make<EstService>, &call_est_service}};

// answer_to gives the frame that the service answers a request frame with.
Buffer answer_to(channel::RequestHandler& handler, const Buffer& request) {
  Buffer area(protocol::kRequestArea), answer(protocol::kAnswerArea);
  std::ranges::copy(request, area.begin());
  handler.handle({UntrustedBytes(Bytes(area)), answer});
  handler.answered();
  const auto frame = protocol::AnswerFrame::decode(UntrustedBytes(Bytes(answer)));
  EXPECT_TRUE(frame);
  answer.resize(kHeader + (frame ? frame->payload.size() : 0));
  return answer;
}

// converse makes the calls of a capture and gives what was said. `answer` is the service.
Conversation converse(const Capture& capture, const std::function<Buffer(const Buffer& request)>& answer) {
  Conversation said;
  FakeService service;
  service.answer = [&](const Seen& seen) {
    said.push_back({seen.frame, answer(seen.frame)});
    return said.back().answer;
  };
  client::testing::fake_service = &service;
  wvds_session* session = nullptr;
  EXPECT_TRUE(client::open_session(&session, "somewhere", &client::testing::connect_to_fake, WVDS_DEFAULT_TIMEOUT));
  capture.call(session);
  EXPECT_EQ(wvds_disconnect(session), WVDS_SUCCESS);
  client::testing::fake_service = nullptr;
  return said;
}

Conversation live(const Capture& capture) {
  const auto side = capture.make();
  return converse(capture, [&](const Buffer& request) { return answer_to(side->handler(), request); });
}

Operation operation_of(const Buffer& request) {
  const auto frame = protocol::RequestFrame::decode(UntrustedBytes(Bytes(request)));
  EXPECT_TRUE(frame);
  return frame ? static_cast<Operation>(frame->type) : Operation::kPing;
}

// Answers that tell of time, versions and what the service can do are those of one moment.
bool is_of_the_moment(const Buffer& request) {
  switch (operation_of(request)) {
    case Operation::kKeyInfo:
    case Operation::kStatus:
    case Operation::kCapabilities:
    case Operation::kMetrics: return true;
    default: return false;
  }
}

// What two conversations have in common is what a service always answers.
Conversation recorded(const Capture& capture) {
  Conversation first = live(capture);
  const Conversation second = live(capture);
  for (size_t i = 0; i < first.size(); ++i)
    first[i].is_fixed = !is_of_the_moment(first[i].request) && first[i].answer == second.at(i).answer;
  return first;
}

class Wire : public ::testing::TestWithParam<Capture> {
 protected:
  const Conversation then_ = read_conversation(GetParam().path());
};

TEST_P(Wire, LibraryWritesTheRequestsOfThenAndUnderstandsTheAnswers) {
  size_t at = 0;
  converse(GetParam(), [&](const Buffer& request) {
    if (at == then_.size()) {
      ADD_FAILURE() << "one request more than then";
      return Buffer();
    }
    EXPECT_EQ(request, then_[at].request) << "request " << at + 1;
    return then_[at++].answer;
  });
  EXPECT_EQ(at, then_.size());
}

TEST_P(Wire, ServiceAnswersTheRequestsOfThen) {
  const auto side = GetParam().make();
  for (size_t i = 0; i < then_.size(); ++i) {
    const Buffer answer = answer_to(side->handler(), then_[i].request);
    const auto now = protocol::AnswerFrame::decode(UntrustedBytes(Bytes(answer)));
    const auto then = protocol::AnswerFrame::decode(UntrustedBytes(Bytes(then_[i].answer)));
    ASSERT_TRUE(now && then) << "request " << i + 1;
    EXPECT_EQ(now->status, then->status) << "request " << i + 1;
    if (then_[i].is_fixed) {
      EXPECT_EQ(answer, then_[i].answer) << "request " << i + 1;
    }
  }
}

TEST_P(Wire, LibraryAndServiceOfTodayTalk) { EXPECT_EQ(live(GetParam()).size(), then_.size()); }

INSTANTIATE_TEST_SUITE_P(Version1, Wire, ::testing::ValuesIn(kCaptures),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(WireCaptures, HaveEveryOperation) {
  std::set<Operation> missing;
  for (const auto& info : protocol::operations()) missing.insert(info.operation);
  for (const Capture& capture : kCaptures) {
    for (const Exchange& exchange : read_conversation(capture.path())) missing.erase(operation_of(exchange.request));
  }
  for (const Operation operation : missing) {
    ADD_FAILURE() << protocol::operation_info(static_cast<uint8_t>(operation))->name << " is in no capture";
  }
}

int record(const std::filesystem::path& folder) {
  if (!std::filesystem::create_directory(folder)) {
    std::cerr << folder << " is there: captures are never changed\n";
    return 1;
  }
  for (const Capture& capture : kCaptures) std::ofstream(folder / capture.name) << text_of(recorded(capture));
  return ::testing::UnitTest::GetInstance()->ad_hoc_test_result().Failed() ? 1 : 0;
}

}  // namespace
}  // namespace wvds::wire

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc == 3 && std::string_view(argv[1]) == "--record") return wvds::wire::record(argv[2]);
  return RUN_ALL_TESTS();
}
