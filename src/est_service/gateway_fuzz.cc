// Fuzzes what a client of est_service can send. The input is a row of requests: type, length (one byte), payload.
// Property: every request is answered with a frame whose status may travel, and est_service finds no defect in itself.

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "est_service/gateway.h"
#include "protocol/frame.h"
#include "protocol/operations.h"

namespace wvds::est_service {
namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

config::ServiceConfig some_config() {
  config::ServiceConfig out;
  out.clients.resize(1);
  out.clients[0].name = "fuzz";
  out.clients[0].uid = 1;
  out.clients[0].rate_limit.requests_per_second = 0;
  for (const std::string_view name : protocol::config_names()) out.clients[0].operations.emplace_back(name);
  out.est.emplace();
  out.est->certificates.resize(1);
  return out;
}

Snapshot some_snapshot() {
  Snapshot out;
  out.certificates.resize(1);
  out.certificates[0].name = "device";
  out.certificates[0].chain_pem = std::string(100'000, 'c');
  out.ca_pem = "ca";
  return out;
}

// Waiting is not what is looked for: a request that the service may take its time for is left out.
bool waits(uint8_t type, Bytes payload) {
  const auto operation = static_cast<protocol::Operation>(type);
  const size_t at = operation == protocol::Operation::kEstWait ? 8 : 0;
  if (operation != protocol::Operation::kEstWait && operation != protocol::Operation::kEstRelay) return false;
  if (payload.size() < at + 4) return false;
  return std::ranges::any_of(payload.subspan(at, 4), [](std::byte byte) { return byte != std::byte{0}; });
}

void send(channel::RequestHandler& session, uint8_t type, Bytes payload) {
  static std::vector<std::byte> answer(protocol::kAnswerArea);
  std::vector<std::byte> area(protocol::kFrameHeaderSize);
  protocol::encode_request_header(type, static_cast<uint32_t>(payload.size()),
                                  std::span(area).first<protocol::kFrameHeaderSize>());
  area.insert(area.end(), payload.begin(), payload.end());
  session.handle({UntrustedBytes(Bytes(area)), answer});
  session.answered();
  const auto frame = protocol::AnswerFrame::decode(UntrustedBytes(Bytes(answer)));
  expect(frame.has_value() && frame->status <= kLastServiceStatus && frame->status != Status::kInternalError);
}

}  // namespace
}  // namespace wvds::est_service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wvds::est_service;
  static const wvds::config::ServiceConfig config = some_config();
  Board board;
  board.publish(some_snapshot());
  RelayHub relay;
  Gateway gateway(config, board, &relay);
  auto session = gateway.open({1, 0, 1, ""});
  expect(session.has_value());
  wvds::Bytes input = std::as_bytes(std::span(data, size));
  while (input.size() >= 2) {
    const auto type = std::to_integer<uint8_t>(input[0]);
    const wvds::Bytes payload = input.subspan(2, std::min(std::to_integer<size_t>(input[1]), input.size() - 2));
    if (!waits(type, payload)) send(**session, type, payload);
    input = input.subspan(2 + payload.size());
  }
  expect(relay.connection_count() == 0);
  return 0;
}
