#include "client/session.h"

#include "client/arguments.h"
#include "platform/clock.h"

namespace wvds::client {
namespace {

constexpr uint32_t kSessionMagic = 0x57764453;
constexpr uint32_t kCallMagic = 0x57764443;

// The write survives although the object ends: it is what tells a stale handle.
void set_magic(uint32_t& magic, uint32_t value) { *const_cast<volatile uint32_t*>(&magic) = value; }

Result<UntrustedBytes> payload_of(UntrustedBytes answer_area) {
  WVDS_ASSIGN(frame, protocol::AnswerFrame::decode(answer_area));
  if (frame.status != Status::kSuccess) return fail(frame.status);
  return frame.payload;
}

}  // namespace

Result<Slot> Slot::acquire(channel::ClientEnd& end) {
  WVDS_ASSIGN(index, end.acquire());
  return Slot(end, index);
}

void Slot::write_header(protocol::Operation operation, size_t payload_length) {
  const MutableBytes area = end_->request_area(index_);
  protocol::encode_request_header(static_cast<uint8_t>(operation), static_cast<uint32_t>(payload_length),
                                  area.first<protocol::kFrameHeaderSize>());
}

Result<> Slot::submit(protocol::Operation operation, size_t payload_length) {
  write_header(operation, payload_length);
  return end_->submit(index_);
}

Result<UntrustedBytes> Slot::await(channel::TimePoint deadline) {
  WVDS_ASSIGN(area, end_->await(index_, deadline));
  return payload_of(area);
}

Result<UntrustedBytes> Slot::call(protocol::Operation operation, size_t payload_length, channel::TimePoint deadline) {
  write_header(operation, payload_length);
  WVDS_ASSIGN(area, end_->call(index_, deadline));
  return payload_of(area);
}

Session::Session(std::string address, Connector connector) : address_(std::move(address)), connector_(connector) {}

Session::~Session() { close_calls(); }

Result<> Session::connect(uint32_t timeout_ms) {
  close_calls();
  end_.reset();
  WVDS_ASSIGN(end, connector_(address_, deadline(timeout_ms)));
  end_ = std::move(end);
  epoch_ = end_->epoch();
  return {};
}

Result<> Session::set_timeout(uint32_t timeout_ms) {
  WVDS_TRY(require(timeout_ms != 0));
  timeout_ms_ = timeout_ms == WVDS_DEFAULT_TIMEOUT ? kDefaultTimeoutMs : timeout_ms;
  return {};
}

channel::TimePoint Session::deadline(uint32_t timeout_ms) const {
  const uint32_t wanted = timeout_ms == WVDS_DEFAULT_TIMEOUT ? timeout_ms_ : timeout_ms;
  return platform::monotonic_now() + std::chrono::milliseconds(wanted);
}

Result<Slot> Session::acquire() const {
  if (end_ == nullptr) return fail(Status::kDisconnected);
  return Slot::acquire(*end_);
}

Result<UntrustedBytes> Session::exchange(Slot& slot, protocol::Operation operation, size_t payload_length) const {
  return slot.call(operation, payload_length, deadline(WVDS_DEFAULT_TIMEOUT));
}

wvds_call& Session::free_call() {
  for (const auto& call : calls_) {
    if (call->state == wvds_call::State::kFree) return *call;
  }
  return *calls_.emplace_back(std::make_unique<wvds_call>());
}

wvds_call* Session::open_call(Slot slot, protocol::Operation operation, size_t payload_length, AnswerSize answer) {
  wvds_call& call = free_call();
  call.state = wvds_call::State::kOpen;
  call.session = this;
  call.slot.emplace(std::move(slot));
  call.operation = operation;
  call.payload_length = payload_length;
  call.expected = answer;
  set_magic(call.magic, kCallMagic);
  return &call;
}

void Session::close_calls() {
  for (const auto& call : calls_) call->close();
}

Result<> open_session(wvds_session** out, std::string address, Connector connector, uint32_t timeout_ms) {
  auto handle = std::unique_ptr<wvds_session>(new wvds_session{kSessionMagic, {std::move(address), connector}});
  WVDS_TRY(handle->session.connect(timeout_ms));
  *out = handle.release();
  return {};
}

void close_session(wvds_session* session) {
  set_magic(session->magic, 0);
  delete session;
}

Result<Session*> session_of(wvds_session* session) {
  WVDS_TRY(require(session != nullptr && session->magic == kSessionMagic));
  return &session->session;
}

Result<wvds_call*> call_of(wvds_call* call) {
  WVDS_TRY(require(call != nullptr && call->magic == kCallMagic));
  return call;
}

}  // namespace wvds::client

wvds::Result<> wvds_call::submit() {
  WVDS_TRY(wvds::client::require(state == State::kOpen));
  WVDS_TRY(slot->submit(operation, payload_length));
  state = State::kSubmitted;
  return {};
}

wvds::Result<> wvds_call::collect(uint32_t timeout_ms) {
  WVDS_TRY(wvds::client::require(state == State::kSubmitted || state == State::kDone));
  if (state == State::kSubmitted) {
    const auto payload = slot->await(session->deadline(timeout_ms));
    if (!payload && payload.error().status == wvds::Status::kTimeout) return wvds::fail(wvds::Status::kTimeout);
    state = State::kDone;
    outcome = !payload ? payload.error().status
                       : (expected.fits(payload->size()) ? wvds::Status::kSuccess : wvds::Status::kProtocolError);
    if (outcome == wvds::Status::kSuccess) answer = payload->in_place();
  }
  if (outcome != wvds::Status::kSuccess) return wvds::fail(outcome);
  return {};
}

void wvds_call::close() {
  wvds::client::set_magic(magic, 0);
  state = State::kFree;
  answer = {};
  slot.reset();
}
