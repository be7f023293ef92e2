#include "service/session.h"

#include <exception>

#include "access/refusal.h"
#include "base/log.h"
#include "base/secret.h"
#include "protocol/frame.h"
#include "service/event_log.h"

namespace wvds::service {
namespace {

// wipe_payload removes a secret from the request area. The area is the service's own mapping of the region and
// writable; it is handed in as read-only so that nothing writes to it by mistake.
void wipe_payload(UntrustedBytes payload) {
  secure_wipe(const_cast<std::byte*>(payload.in_place().data()), payload.size());
}

}  // namespace

struct Session::Served {
  Result<size_t> length = fail(Status::kInternalError);
  const OpEntry* entry = nullptr;
  uint32_t key_id = 0;
  bool is_timed = false;
  TimePoint begun;
};

Session::Session(ServiceState& state, std::shared_ptr<Principal> principal, channel::Peer peer, keystore::SessionId id)
    : state_(state),
      principal_(std::move(principal)),
      name_(principal_->name()),
      peer_(std::move(peer)),
      id_(id),
      counters_(state.metrics),
      keys_(*state.store, name_, id),
      guard_(keys_, state.guards) {}

Session::~Session() {
  state_.store->end_session(id_);
  principal_->release_session();
  state_.sessions.fetch_sub(1);
  if (principal_->log_limiter().take(state_.clock.now())) log_end();
}

// A line that finds no memory is lost.
void Session::log_end() const try {
  log_info("session ended", {{"principal", principal_->name()}, {"session", id_}});
} catch (const std::exception&) {
}

// What throws here throws for want of memory; the answer must not want any.
channel::Verdict Session::handle(const channel::Request& request) try {
  return answer(request);
} catch (const std::exception&) {
  if (request.answer.size() < protocol::kFrameHeaderSize) return channel::Verdict::kInvalid;
  protocol::encode_answer_header(Status::kInternalError, 0, request.answer.first<protocol::kFrameHeaderSize>());
  return access::verdict_on(Status::kInternalError);
}

channel::Verdict Session::answer(const channel::Request& request) {
  guard_.enter();
  follow_reload();
  if (request.answer.size() < protocol::kFrameHeaderSize) return channel::Verdict::kInvalid;
  Served served = serve(request.area, request.answer.subspan(protocol::kFrameHeaderSize));
  const Status status = served.length ? Status::kSuccess : served.length.error().status;
  const auto length = static_cast<uint32_t>(served.length.value_or(0));
  protocol::encode_answer_header(status, length, request.answer.first<protocol::kFrameHeaderSize>());
  const size_t row = op_row(served.entry);
  counters_.count(row, status);
  if (served.is_timed) counters_.timed(row, state_.clock.now() - served.begun);
  report(served);
  return access::verdict_on(status);
}

// follow_reload takes over what a reload has changed. Who the peer is, is asked anew: it may be another client now, or
// none, and what this session could do was never meant for those.
void Session::follow_reload() {
  const uint64_t generation = state_.rights.generation();
  if (generation == rights_generation_) return;
  rights_generation_ = generation;
  auto now = state_.rights.table()->resolve(peer_);
  revoked_ = now == nullptr || now->name() != name_;
  if (!revoked_) principal_ = std::move(now);
  keys_.clear();
}

void Session::answered() {
  scratch_.wipe();
  guard_.leave();
}

// The order: frame, op table, rights, rate limit, audit log; only then the payload is looked at. What is refused before
// the rate limit takes a token too: flooding is no cheaper with nonsense.
Session::Served Session::serve(UntrustedBytes area, MutableBytes answer) {
  Served served;
  const auto frame = protocol::RequestFrame::decode(area);
  if (!frame) {
    take_token();
    served.length = fail(frame.error().status, frame.error().detail);
    return served;
  }
  served.entry = op_entry(frame->type);
  served.is_timed = served.entry != nullptr && counters_.begin_is_timed(op_row(served.entry));
  if (served.is_timed) served.begun = state_.clock.now();
  if (const Result<> admitted = admit(served.entry); !admitted) {
    served.length = fail(admitted.error().status, admitted.error().detail);
    return served;
  }
  RequestContext context{state_, *principal_, id_, keys_, scratch_};
  served.length = run_handler(*served.entry, context, frame->payload, answer);
  served.key_id = context.key_id;
  return served;
}

Result<> Session::admit(const OpEntry* entry) {
  if (entry == nullptr || revoked_ || !principal_->may(entry->operation)) {
    take_token();
    return fail(entry == nullptr ? Status::kInvalidType : Status::kDenied);
  }
  if (!take_token()) return fail(Status::kRateLimited);
  return entry->management ? state_.audit->ready() : Result<>{};
}

bool Session::take_token() { return principal_->take_token(state_.clock.now()); }

// The standard library throws where memory runs out; a request may fail for that, the service may not.
Result<size_t> Session::run_handler(const OpEntry& entry, RequestContext& context, UntrustedBytes payload,
                                    MutableBytes answer) {
  Result<size_t> length = fail(Status::kInternalError);
  try {
    length = entry.handler(context, payload, answer);
  } catch (const std::exception& error) {
    length = fail(Status::kInternalError, error.what());
  }
  if (entry.wipe_request) wipe_payload(payload);
  if (!length) return std::unexpected(access::wire_error(std::move(length.error())));
  return length;
}

// A line that finds no memory is lost; the answer is not.
void Session::report(const Served& served) try {
  if (served.length && !served.entry->management) return;
  const auto* info =
      served.entry == nullptr ? nullptr : protocol::operation_info(static_cast<uint8_t>(served.entry->operation));
  const Event event{*principal_, id_, info, served.key_id};
  if (!served.length) {
    log_failure(*state_.audit, event, served.length.error(), state_.clock.now());
  } else {
    log_success(*state_.audit, event, state_.clock.now());
  }
} catch (const std::exception&) {
}

void Session::wasted_wakeup() {
  counters_.wasted_wakeup();
  take_token();
}

}  // namespace wvds::service
