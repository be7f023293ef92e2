#include "tools/wvds/est/est_service.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace wvds::tool {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kEstSocket = "/run/wvds/est.sock";
constexpr milliseconds kTick{1000};

// WaitingLine says on a terminal that the program waits. It is gone when the object is.
class WaitingLine {
 public:
  ~WaitingLine() {
    if (is_shown_) std::fputs("\r\033[K", stderr);
  }
  void show() {
    if (!is_wanted_) return;
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - start_).count();
    if (seconds == 0) return;
    std::fprintf(stderr, "\r\033[Kwvds: est_service is at it, %lld s", static_cast<long long>(seconds));
    is_shown_ = true;
  }

 private:
  const bool is_wanted_ = standard_error_is_terminal();
  const Clock::time_point start_ = Clock::now();
  bool is_shown_ = false;
};

Outcome<EstState> ask_once(const Session& session) {
  auto state = std::make_unique<wvds_est_state>();
  const auto ask = [&] { return wvds_est_status(session.get(), state.get()); };
  TOOL_TRY(check_est(waiting_out(ask), "the state of certificates"));
  return state;
}

// wait_for_change gives WVDS_TIMEOUT where nothing changed.
wvds_status wait_for_change(const Session& session, uint64_t known, milliseconds time) {
  uint64_t generation = 0;
  const auto left = static_cast<uint32_t>(std::max<int64_t>(1, time.count()));
  return waiting_out([&] { return wvds_est_wait(session.get(), &generation, known, left); });
}

}  // namespace

ServiceOptions est_options(const Tool& tool) {
  ServiceOptions options = tool.service;
  if (options.socket.empty()) options.socket = kEstSocket;
  return options;
}

Outcome<Session> connect_est(const Tool& tool) { return connect(est_options(tool)); }

Outcome<> check_est(wvds_status status, const std::string& what) {
  if (status != WVDS_INVALID_TYPE) return check(status, what);
  return failed(what + ": the service at this socket is not est_service; name its socket with --socket");
}

Outcome<EstState> ask_est(const Session& session, uint32_t timeout_ms) {
  TOOL_ASSIGN(state, ask_once(session));
  if (state->generation != 0) return std::move(state);
  const wvds_status status = wait_for_change(session, 0, milliseconds(timeout_ms));
  if (status == WVDS_TIMEOUT)
    return failed("est_service has just started and is at its first attempt: ask again, or wait with --timeout");
  TOOL_TRY(check_est(status, "the state of certificates"));
  return ask_once(session);
}

std::span<const EstCertificate> certificates_of(const wvds_est_state& state) {
  return std::span(state.certificates).first(std::min(state.num_certificates, WVDS_EST_MAX_CERTIFICATES));
}

Outcome<const EstCertificate*> named_certificate(const wvds_est_state& state, const std::string& name) {
  std::string known;
  for (const EstCertificate& certificate : certificates_of(state)) {
    if (name == certificate.name) return &certificate;
    known += (known.empty() ? "" : ", ") + std::string(certificate.name);
  }
  return failed("est_service has no certificate \"" + name + "\"; it has " + known);
}

bool is_good(const EstCertificate& certificate) {
  return certificate.phase == WVDS_EST_VALID || certificate.phase == WVDS_EST_DUE;
}

Outcome<EstState> until_true(const Session& session, uint32_t seconds, const std::string& what,
                             const std::function<bool(const wvds_est_state&)>& done) {
  const auto deadline = Clock::now() + std::chrono::seconds(seconds);
  WaitingLine line;
  for (;;) {
    TOOL_ASSIGN(state, ask_once(session));
    if (done(*state)) return std::move(state);
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - Clock::now());
    if (left.count() <= 0)
      return failed(what + ": not done after " + std::to_string(seconds) +
                    " s; est_service goes on, and \"wvds est status\" tells what comes of it");
    const wvds_status status = wait_for_change(session, state->generation, std::min(left, kTick));
    if (status != WVDS_TIMEOUT) TOOL_TRY(check_est(status, what));
    line.show();
  }
}

}  // namespace wvds::tool
