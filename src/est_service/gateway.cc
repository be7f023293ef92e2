#include "est_service/gateway.h"

#include <algorithm>
#include <exception>

#include "access/refusal.h"
#include "base/log.h"
#include "protocol/est_messages.h"
#include "protocol/frame.h"
#include "protocol/operations.h"
#include "protocol/service_messages.h"

namespace wvds::est_service {
namespace {

using protocol::Operation;
using std::chrono::milliseconds;

static_assert(static_cast<int>(Phase::kMissing) == static_cast<int>(protocol::EstPhase::kMissing));
static_assert(static_cast<int>(Phase::kWaiting) == static_cast<int>(protocol::EstPhase::kWaiting));
static_assert(static_cast<int>(Phase::kValid) == static_cast<int>(protocol::EstPhase::kValid));
static_assert(static_cast<int>(Phase::kDue) == static_cast<int>(protocol::EstPhase::kDue));
static_assert(static_cast<int>(Phase::kExpired) == static_cast<int>(protocol::EstPhase::kExpired));

uint64_t wire_time(int64_t seconds) { return static_cast<uint64_t>(std::max<int64_t>(seconds, 0)); }

std::optional<protocol::EstFailure> wire_failure(const std::optional<LastFailure>& failure) {
  if (!failure) return std::nullopt;
  return protocol::EstFailure{failure->name, failure->detail, failure->advice, wire_time(failure->at)};
}

protocol::EstCertificateState wire_state(const CertificateStatus& status) {
  protocol::EstCertificateState out;
  out.phase = static_cast<protocol::EstPhase>(status.phase);
  out.key_type = status.key_type;
  out.key_id = status.key_id;
  out.previous_key_id = status.previous_key_id;
  out.failures = status.failures;
  out.not_before = wire_time(status.not_before);
  out.not_after = wire_time(status.not_after);
  out.renew_at = wire_time(status.renew_at);
  out.next_attempt = wire_time(status.next_attempt);
  if (const auto fingerprint = est::fingerprint_from_text(status.fingerprint)) out.fingerprint = *fingerprint;
  out.name = status.name;
  out.subject = status.subject;
  out.failure = wire_failure(status.last_failure);
  return out;
}

// write_part answers with the piece of `text` that is asked for, as much as fits.
Result<size_t> write_part(const protocol::EstPart& wanted, uint64_t generation, std::string_view text, uint32_t key_id,
                          MutableBytes answer) {
  if (text.empty()) return fail(Status::kCertificateNotFound, "none yet");
  if (text.size() > protocol::kMaxEstPemSize) return fail(Status::kInternalError, "certificates are over 1 MB");
  const auto total = static_cast<uint32_t>(text.size());
  if (wanted.generation != 0 && wanted.generation != generation)
    return protocol::encode_est_part_answer(generation, total, key_id, {}, answer);
  if (wanted.offset >= total) return fail(Status::kInvalidPayload, "offset behind the text");
  const std::string_view part = text.substr(wanted.offset, protocol::kMaxEstPartSize);
  return protocol::encode_est_part_answer(generation, total, key_id, as_bytes(part), answer);
}

bool is_ours(const protocol::OperationInfo* info) {
  return info != nullptr && (info->daemon == protocol::Daemon::kEstService || info->operation == Operation::kPing);
}

platform::TimePoint after(uint32_t wait_ms) { return platform::monotonic_now() + milliseconds(wait_ms); }

bool may_anything(const access::Principal& principal) {
  return std::ranges::any_of(protocol::operations_of(protocol::Daemon::kEstService),
                             [&](const auto& info) { return principal.may(info.operation); });
}

}  // namespace

// GatewaySession serves one client's requests, one after the other, on its worker's thread. Every request ends with an
// answer; no input ends the session or est_service.
class GatewaySession : public channel::RequestHandler {
 public:
  // The caller has claimed a session of the gateway and of the principal; the destructor releases both.
  GatewaySession(Gateway& gateway, std::shared_ptr<access::Principal> principal, uint64_t id)
      : gateway_(gateway), principal_(std::move(principal)), id_(id) {}
  ~GatewaySession() override;

  channel::Verdict handle(const channel::Request& request) override;
  void answered() override {}
  void wasted_wakeup() override { principal_->take_token(platform::monotonic_now()); }

 private:
  Result<size_t> serve(UntrustedBytes area, MutableBytes answer, const protocol::OperationInfo*& info);
  Result<size_t> run(Operation operation, UntrustedBytes payload, MutableBytes answer);
  Result<size_t> status(UntrustedBytes payload, MutableBytes answer);
  Result<size_t> certificate(UntrustedBytes payload, MutableBytes answer);
  Result<size_t> ca_certificates(UntrustedBytes payload, MutableBytes answer);
  Result<size_t> wait(UntrustedBytes payload, MutableBytes answer);
  Result<size_t> renew(UntrustedBytes payload);
  Result<size_t> relay(UntrustedBytes payload, MutableBytes answer);
  void report(const protocol::OperationInfo* info, const Error& error);

  Gateway& gateway_;
  const std::shared_ptr<access::Principal> principal_;
  const uint64_t id_;
  bool relays_ = false;  // it has asked for tasks
};

GatewaySession::~GatewaySession() {
  if (relays_) gateway_.relay_->end_session(id_);
  principal_->release_session();
  gateway_.sessions_.fetch_sub(1);
  if (!principal_->log_limiter().take(platform::monotonic_now())) return;
  log_info("session ended", {{"principal", principal_->name()}, {"session", id_}});
}

// The standard library throws where memory runs out; a request may fail for that, est_service may not.
channel::Verdict GatewaySession::handle(const channel::Request& request) {
  if (request.answer.size() < protocol::kFrameHeaderSize) return channel::Verdict::kInvalid;
  const protocol::OperationInfo* info = nullptr;
  Result<size_t> length = fail(Status::kInternalError);
  try {
    length = serve(request.area, request.answer.subspan(protocol::kFrameHeaderSize), info);
  } catch (const std::exception& error) {
    length = fail(Status::kInternalError, error.what());
  }
  if (!length) length = std::unexpected(access::wire_error(std::move(length.error())));
  const Status status = length ? Status::kSuccess : length.error().status;
  protocol::encode_answer_header(status, static_cast<uint32_t>(length.value_or(0)),
                                 request.answer.first<protocol::kFrameHeaderSize>());
  if (!length) report(info, length.error());
  return access::verdict_on(status);
}

// The order is crypto_service's: frame, operation, rights, rate limit; only then the payload is looked at. What is
// refused before the rate limit takes a token too.
Result<size_t> GatewaySession::serve(UntrustedBytes area, MutableBytes answer, const protocol::OperationInfo*& info) {
  const auto frame = protocol::RequestFrame::decode(area);
  const bool has_token = principal_->take_token(platform::monotonic_now());
  if (!frame) return std::unexpected(frame.error());
  const protocol::OperationInfo* found = protocol::operation_info(frame->type);
  if (!is_ours(found)) return fail(Status::kInvalidType);
  info = found;
  if (!principal_->may(found->operation)) return fail(Status::kDenied);
  if (!has_token) return fail(Status::kRateLimited);
  return run(found->operation, frame->payload, answer);
}

Result<size_t> GatewaySession::run(Operation operation, UntrustedBytes payload, MutableBytes answer) {
  switch (operation) {
    case Operation::kEstStatus: return status(payload, answer);
    case Operation::kEstCertificate: return certificate(payload, answer);
    case Operation::kEstCaCertificates: return ca_certificates(payload, answer);
    case Operation::kEstWait: return wait(payload, answer);
    case Operation::kEstRenew: return renew(payload);
    case Operation::kEstRelay: return relay(payload, answer);
    default: WVDS_TRY(protocol::decode_empty_request(payload)); return 0;  // PING
  }
}

Result<size_t> GatewaySession::status(UntrustedBytes payload, MutableBytes answer) {
  WVDS_TRY(protocol::decode_empty_request(payload));
  const auto snapshot = gateway_.board_.snapshot();
  protocol::EstStatusAnswer out;
  out.generation = snapshot->generation;
  out.attempts = snapshot->attempts;
  out.ca_fetched_at = wire_time(snapshot->ca_fetched_at);
  out.ca_failure = wire_failure(snapshot->ca_failure);
  for (const CertificateStatus& one : snapshot->certificates) out.certificates.push_back(wire_state(one));
  return out.encode(answer);
}

Result<size_t> GatewaySession::certificate(UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::EstCertificateRequest::decode(payload));
  const auto snapshot = gateway_.board_.snapshot();
  const auto found = std::ranges::find(snapshot->certificates, request.name, &CertificateStatus::name);
  if (found == snapshot->certificates.end()) return fail(Status::kCertificateNotFound, request.name);
  const bool current = request.which == protocol::EstWhich::kCurrent;
  return write_part(request.part, snapshot->generation, current ? found->chain_pem : found->previous_chain_pem,
                    current ? found->key_id : found->previous_key_id, answer);
}

Result<size_t> GatewaySession::ca_certificates(UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::EstCaCertificatesRequest::decode(payload));
  const auto snapshot = gateway_.board_.snapshot();
  return write_part(request.part, snapshot->generation, snapshot->ca_pem, 0, answer);
}

Result<size_t> GatewaySession::wait(UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::EstWaitRequest::decode(payload));
  const Board& board = gateway_.board_;
  const auto snapshot = board.wait_for_change(request.known, after(request.milliseconds));
  if (board.stopped()) return fail(Status::kNotReady, "stopping");
  return protocol::EstWaitAnswer{snapshot->generation}.encode(answer);
}

Result<size_t> GatewaySession::renew(UntrustedBytes payload) {
  WVDS_ASSIGN(request, protocol::EstRenewRequest::decode(payload));
  if (!request.name.empty() && !gateway_.has_certificate(request.name))
    return fail(Status::kCertificateNotFound, request.name);
  if (principal_->log_limiter().take(platform::monotonic_now()))
    log_info("renewal asked for", {{"principal", principal_->name()}, {"certificate", request.name}});
  gateway_.board_.wish({request.name, (request.flags & protocol::kEstRenewNow) != 0});
  return 0;
}

Result<size_t> GatewaySession::relay(UntrustedBytes payload, MutableBytes answer) {
  WVDS_ASSIGN(request, protocol::EstRelayRequest::decode(payload));
  RelayHub* hub = gateway_.relay_;
  if (hub == nullptr) return fail(Status::kNotReady, "est.transport is not \"relay\"");
  relays_ = true;
  return hub->serve(id_, request, after(request.milliseconds), answer);
}

// A line that finds no memory is lost; the answer is not.
void GatewaySession::report(const protocol::OperationInfo* info, const Error& error) try {
  if (!principal_->may_log(platform::monotonic_now())) return;
  log(access::refusal_level(error.status), "refused",
      {{"operation", info == nullptr ? "none" : info->name},
       {"principal", principal_->name()},
       {"session", id_},
       {"status", status_name(error.status)},
       {"detail", error.detail},
       {"left_out", principal_->unlogged()}});
} catch (const std::exception&) {
}

Gateway::Gateway(const config::ServiceConfig& config, Board& board, RelayHub* relay)
    : config_(config), board_(board), relay_(relay), principals_(config.clients) {}

Result<std::unique_ptr<channel::RequestHandler>> Gateway::open(const channel::Peer& peer) {
  WVDS_ASSIGN(principal, claim_session(peer));
  try {
    const uint64_t id = last_session_.fetch_add(1) + 1;
    if (principal->log_limiter().take(platform::monotonic_now())) {
      log_info("session opened",
               {{"principal", principal->name()}, {"session", id}, {"uid", peer.uid}, {"pid", peer.pid}});
    }
    return std::make_unique<GatewaySession>(*this, principal, id);
  } catch (const std::exception& error) {  // no memory left
    principal->release_session();
    sessions_.fetch_sub(1);
    return fail(Status::kLimitReached, error.what());
  }
}

// claim_session finds who is there and counts a session in.
Result<std::shared_ptr<access::Principal>> Gateway::claim_session(const channel::Peer& peer) {
  if (stopping_) return fail(Status::kNotReady, "stopping");
  auto principal = principals_.resolve(peer);
  if (principal == nullptr || !may_anything(*principal)) {
    if (stranger_log_.take(platform::monotonic_now()))
      log_warning("stranger refused", {{"uid", peer.uid}, {"gid", peer.gid}, {"pid", peer.pid}, {"label", peer.label}});
    return fail(Status::kDenied, "no client of the configuration with a right here");
  }
  if (!access::claim(sessions_, config_.sessions.total))
    return fail(Status::kLimitReached, "est_service has all its sessions");
  if (principal->claim_session()) return principal;
  sessions_.fetch_sub(1);
  return fail(Status::kLimitReached, principal->name() + " has all its sessions");
}

bool Gateway::has_certificate(const std::string& name) const {
  if (!config_.est) return false;
  return std::ranges::find(config_.est->certificates, name, &config::EstCertificate::name) !=
         config_.est->certificates.end();
}

void Gateway::stop() {
  stopping_ = true;
  board_.stop();
  if (relay_ != nullptr) relay_->stop();
}

}  // namespace wvds::est_service
