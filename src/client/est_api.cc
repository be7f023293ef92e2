#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "client/arguments.h"
#include "client/guard.h"
#include "client/session.h"
#include "platform/clock.h"
#include "protocol/est_messages.h"

using namespace wvds;
using namespace wvds::client;
using channel::TimePoint;
using protocol::Operation;
using std::chrono::milliseconds;

namespace {

static_assert(WVDS_EST_MAX_CERTIFICATES == protocol::kMaxEstCertificates);
static_assert(WVDS_EST_MAX_NAME_SIZE == protocol::kMaxEstNameSize);
static_assert(WVDS_EST_MAX_NAME_SIZE == protocol::kMaxEstFailureSize);
static_assert(WVDS_EST_MAX_SUBJECT_SIZE == protocol::kMaxEstSubjectSize);
static_assert(WVDS_EST_MAX_DETAIL_SIZE == protocol::kMaxEstDetailSize);
static_assert(WVDS_EST_MAX_ADVICE_SIZE == protocol::kMaxEstAdviceSize);
static_assert(WVDS_EST_MAX_PEM_SIZE == protocol::kMaxEstPemSize + 1);
static_assert(WVDS_EST_MAX_RELAY_SIZE == protocol::kMaxRelayBytes);
static_assert(sizeof(wvds_est_task::host) > protocol::kMaxRelayHostSize);
static_assert(WVDS_EST_RENEW_NOW == protocol::kEstRenewNow);

#define WVDS_SAME(name, value) static_assert(name == static_cast<int>(protocol::value))
WVDS_SAME(WVDS_EST_MISSING, EstPhase::kMissing);
WVDS_SAME(WVDS_EST_WAITING, EstPhase::kWaiting);
WVDS_SAME(WVDS_EST_VALID, EstPhase::kValid);
WVDS_SAME(WVDS_EST_DUE, EstPhase::kDue);
WVDS_SAME(WVDS_EST_EXPIRED, EstPhase::kExpired);
WVDS_SAME(WVDS_EST_CURRENT, EstWhich::kCurrent);
WVDS_SAME(WVDS_EST_PREVIOUS, EstWhich::kPrevious);
WVDS_SAME(WVDS_EST_TASK_NOTHING, RelayTask::kNothing);
WVDS_SAME(WVDS_EST_TASK_CONNECT, RelayTask::kConnect);
WVDS_SAME(WVDS_EST_TASK_SEND, RelayTask::kSend);
WVDS_SAME(WVDS_EST_TASK_RECEIVE, RelayTask::kReceive);
WVDS_SAME(WVDS_EST_TASK_CLOSE, RelayTask::kClose);
WVDS_SAME(WVDS_EST_EVENT_NOTHING, RelayEvent::kNone);
WVDS_SAME(WVDS_EST_EVENT_CONNECTED, RelayEvent::kConnected);
WVDS_SAME(WVDS_EST_EVENT_SENT, RelayEvent::kSent);
WVDS_SAME(WVDS_EST_EVENT_RECEIVED, RelayEvent::kReceived);
WVDS_SAME(WVDS_EST_EVENT_ENDED, RelayEvent::kEnded);
WVDS_SAME(WVDS_EST_EVENT_FAILED, RelayEvent::kFailed);
#undef WVDS_SAME

void describe(const std::optional<protocol::EstFailure>& failure, wvds_est_failure& out) {
  if (!failure) return;
  out.at = failure->at;
  copy_text(failure->name, out.name);
  copy_text(failure->detail, out.detail);
  copy_text(failure->advice, out.advice);
}

void describe(const protocol::EstCertificateState& state, wvds_est_certificate_state& out) {
  copy_text(state.name, out.name);
  copy_text(state.subject, out.subject);
  out.phase = static_cast<uint32_t>(state.phase);
  out.key_type = static_cast<wvds_algorithm>(state.key_type);
  out.key_id = state.key_id;
  out.previous_key_id = state.previous_key_id;
  out.num_failures = state.failures;
  out.not_before = state.not_before;
  out.not_after = state.not_after;
  out.renew_at = state.renew_at;
  out.next_attempt = state.next_attempt;
  std::memcpy(out.fingerprint, state.fingerprint.data(), sizeof out.fingerprint);
  describe(state.failure, out.failure);
}

void describe(const protocol::EstStatusAnswer& answer, wvds_est_state& out) {
  out.generation = answer.generation;
  out.num_attempts = answer.attempts;
  out.ca_fetched_at = answer.ca_fetched_at;
  describe(answer.ca_failure, out.ca_failure);
  out.num_certificates = static_cast<uint32_t>(answer.certificates.size());
  for (size_t i = 0; i < answer.certificates.size(); ++i) describe(answer.certificates[i], out.certificates[i]);
}

Result<std::string> name_argument(const char* name) {
  const std::string_view text = name != nullptr ? name : "";
  WVDS_TRY(client::require(text.size() <= WVDS_EST_MAX_NAME_SIZE));
  return std::string(text);
}

// Pem is a text that comes in pieces, all of one generation.
class Pem {
 public:
  // want_room is asked, once for each generation, for the room of the whole text.
  template <class WantRoom>
  Result<> add(const protocol::EstPartAnswer& piece, WantRoom&& want_room) {
    if (generation_ != 0 && piece.generation != generation_) return start_again(piece);
    if (generation_ == 0) {
      generation_ = piece.generation;
      total_ = piece.total;
      key_id_ = piece.key_id;
      WVDS_TRY(want_room(total_));
      bytes_.reserve(total_ + 1);
    }
    WVDS_TRY(require_of_service(piece.total == total_ && piece.key_id == key_id_ && !piece.bytes.empty() &&
                                piece.bytes.size() <= total_ - bytes_.size()));
    const size_t before = bytes_.size();
    bytes_.resize(before + piece.bytes.size());
    piece.bytes.copy_to(MutableBytes(bytes_).subspan(before));
    return {};
  }

  bool complete() const { return generation_ != 0 && bytes_.size() == total_; }
  protocol::EstPart next() const { return {generation_, static_cast<uint32_t>(bytes_.size())}; }
  uint32_t key_id() const { return key_id_; }

  Bytes with_nul() {
    bytes_.push_back(std::byte{0});
    return bytes_;
  }

 private:
  Result<> start_again(const protocol::EstPartAnswer& piece) {
    WVDS_TRY(require_of_service(piece.bytes.empty()));
    bytes_.clear();
    generation_ = 0;
    return {};
  }

  uint64_t generation_ = 0;
  size_t total_ = 0;
  uint32_t key_id_ = 0;
  std::vector<std::byte> bytes_;
};

// read_pem asks for one piece after the other, and from the first again when something changed in between. `encode`
// writes the request for a piece.
template <class Encode>
Result<uint32_t> read_pem(Session& session, Operation operation, Output& output, Encode&& encode) {
  const TimePoint deadline = session.deadline(WVDS_DEFAULT_TIMEOUT);
  Pem pem;
  while (!pem.complete()) {
    if (platform::monotonic_now() >= deadline) return fail(Status::kTimeout);
    WVDS_ASSIGN(slot, session.acquire());
    WVDS_ASSIGN(length, encode(pem.next(), slot.payload()));
    WVDS_ASSIGN(payload, slot.call(operation, length, deadline));
    WVDS_ASSIGN(piece, trusting_no_service(protocol::EstPartAnswer::decode(payload)));
    WVDS_TRY(pem.add(piece, [&](size_t total) { return output.require_room(total + 1); }));
  }
  WVDS_TRY(output.fill(UntrustedBytes(pem.with_nul())));
  return pem.key_id();
}

// slice is how long one request waits in the service.
uint32_t slice(TimePoint deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - platform::monotonic_now());
  return static_cast<uint32_t>(std::clamp<int64_t>(left.count(), 0, protocol::kMaxEstWaitMs));
}

// call_for is a request that the service may take `waits` milliseconds for by its own choice.
Result<UntrustedBytes> call_for(const Session& session, Slot& slot, Operation operation, size_t length,
                                uint32_t waits) {
  return slot.call(operation, length, session.deadline(WVDS_DEFAULT_TIMEOUT) + milliseconds(waits));
}

// Event is a checked wvds_est_event.
struct Event {
  protocol::RelayEvent event = protocol::RelayEvent::kNone;
  uint32_t connection = 0;
  Bytes bytes;
};

Result<Event> event_argument(const wvds_est_event* event) {
  if (event == nullptr || event->event == WVDS_EST_EVENT_NOTHING) return Event{};
  WVDS_TRY(client::require(event->event <= WVDS_EST_EVENT_FAILED && event->connection != 0));
  WVDS_ASSIGN(bytes, input_bytes(event->bytes, event->len));
  const bool received = event->event == WVDS_EST_EVENT_RECEIVED, failed = event->event == WVDS_EST_EVENT_FAILED;
  WVDS_TRY(client::require(received == !bytes.empty() || failed));
  WVDS_TRY(client::require(bytes.size() <= (failed ? protocol::kMaxRelayTextSize : protocol::kMaxRelayBytes)));
  return Event{static_cast<protocol::RelayEvent>(event->event), event->connection, bytes};
}

void describe(const protocol::EstRelayAnswer& answer, wvds_est_task& out) {
  out.task = static_cast<uint32_t>(answer.task);
  out.connection = answer.connection;
  out.port = answer.port;
  out.len = answer.task == protocol::RelayTask::kReceive ? answer.most : 0;
}

// take_task writes what goes along with a task: the bytes to `out`, the host to the task.
Result<> take_task(const protocol::EstRelayAnswer& answer, wvds_est_task& task, MutableBytes out) {
  describe(answer, task);
  if (answer.task == protocol::RelayTask::kSend) {
    task.len = answer.bytes.copy_to(out).size();
  } else if (answer.task == protocol::RelayTask::kConnect) {
    answer.bytes.copy_to(std::as_writable_bytes(std::span(task.host)));
    const std::string_view host(task.host, answer.bytes.size());
    return require_of_service(std::ranges::all_of(host, [](char c) { return c > 0x20 && c < 0x7f; }));
  }
  return {};
}

}  // namespace

wvds_status wvds_est_status(wvds_session* session, wvds_est_state* out) {
  clear(out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(client::require(out != nullptr));
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kEstStatus, 0));
    WVDS_ASSIGN(answer, trusting_no_service(protocol::EstStatusAnswer::decode(payload)));
    describe(answer, *out);
    return {};
  });
}

wvds_status wvds_est_certificate(wvds_session* session, char* out, size_t* out_len, size_t max_out,
                                 uint32_t* out_key_id, const char* name, uint32_t which) {
  clear(out_key_id);
  Output output(reinterpret_cast<uint8_t*>(out), out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(client::require(out_key_id != nullptr && which <= WVDS_EST_PREVIOUS));
    WVDS_TRY(output.require_room(1));
    protocol::EstCertificateRequest request{{}, static_cast<protocol::EstWhich>(which), {}};
    WVDS_ASSIGN(wanted, name_argument(name));
    request.name = std::move(wanted);
    WVDS_ASSIGN(key_id, read_pem(*live, Operation::kEstCertificate, output,
                                 [&](const protocol::EstPart& part, MutableBytes payload) {
                                   request.part = part;
                                   return request.encode(payload);
                                 }));
    output.commit();
    --*out_len;  // the final NUL
    *out_key_id = key_id;
    return {};
  });
}

wvds_status wvds_est_ca_certificates(wvds_session* session, char* out, size_t* out_len, size_t max_out) {
  Output output(reinterpret_cast<uint8_t*>(out), out_len, max_out);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(output.require_room(1));
    WVDS_TRY(
        read_pem(*live, Operation::kEstCaCertificates, output, [](const protocol::EstPart& part, MutableBytes payload) {
          return protocol::EstCaCertificatesRequest{part}.encode(payload);
        }));
    output.commit();
    --*out_len;
    return {};
  });
}

wvds_status wvds_est_wait(wvds_session* session, uint64_t* out_generation, uint64_t known, uint32_t timeout_ms) {
  clear(out_generation);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(client::require(out_generation != nullptr));
    const TimePoint deadline = live->deadline(timeout_ms);
    for (;;) {
      const uint32_t waits = slice(deadline);
      WVDS_ASSIGN(slot, live->acquire());
      WVDS_ASSIGN(length, (protocol::EstWaitRequest{known, waits}.encode(slot.payload())));
      WVDS_ASSIGN(payload, call_for(*live, slot, Operation::kEstWait, length, waits));
      WVDS_ASSIGN(answer, trusting_no_service(protocol::EstWaitAnswer::decode(payload)));
      if (answer.generation != known) {
        *out_generation = answer.generation;
        return {};
      }
      if (slice(deadline) == 0) return fail(Status::kTimeout);
    }
  });
}

wvds_status wvds_est_renew(wvds_session* session, const char* name, uint32_t flags) {
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(client::require((flags & ~static_cast<uint32_t>(WVDS_EST_RENEW_NOW)) == 0));
    WVDS_ASSIGN(wanted, name_argument(name));
    const protocol::EstRenewRequest request{static_cast<uint8_t>(flags), std::move(wanted)};
    WVDS_ASSIGN(slot, live->acquire());
    WVDS_ASSIGN(length, request.encode(slot.payload()));
    WVDS_ASSIGN(payload, live->exchange(slot, Operation::kEstRenew, length));
    return require_of_service(payload.empty());
  });
}

wvds_status wvds_est_relay(wvds_session* session, wvds_est_task* out_task, uint8_t* out, size_t max_out,
                           const wvds_est_event* event, uint32_t timeout_ms) {
  clear(out_task);
  return guard([&]() -> Result<> {
    WVDS_ASSIGN(live, session_of(session));
    WVDS_TRY(client::require(out_task != nullptr && out != nullptr));
    if (max_out < WVDS_EST_MAX_RELAY_SIZE) return fail(Status::kBufferTooSmall);
    WVDS_ASSIGN(report, event_argument(event));
    const TimePoint deadline = live->deadline(timeout_ms);
    bool reported = false;
    for (;;) {
      const uint32_t waits = slice(deadline);
      WVDS_ASSIGN(slot, live->acquire());
      WVDS_ASSIGN(length, protocol::encode_est_relay_request(waits, report.event, report.connection, report.bytes,
                                                             slot.payload()));
      const auto payload = call_for(*live, slot, Operation::kEstRelay, length, waits);
      if (!payload && payload.error().status == Status::kRateLimited && reported) return {};
      if (!payload) return std::unexpected(payload.error());
      WVDS_ASSIGN(answer, trusting_no_service(protocol::EstRelayAnswer::decode(*payload)));
      if (answer.task != protocol::RelayTask::kNothing || slice(deadline) == 0) {
        const Result<> taken = take_task(answer, *out_task, std::as_writable_bytes(std::span(out, max_out)));
        if (!taken) clear(out_task);
        return taken;
      }
      report = {};
      reported = true;
    }
  });
}
