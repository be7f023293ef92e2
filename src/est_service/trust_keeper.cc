#include "est_service/trust_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "est/certs_only.h"
#include "est/trust.h"
#include "est_service/timing.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

constexpr int64_t kRefreshInterval = 86400;

bool is_about_trust(FailureKind kind) {
  return kind == FailureKind::kUnknownCa || kind == FailureKind::kUntrustedChain;
}

}  // namespace

std::vector<est::Certificate> TrustKeeper::anchors() const {
  std::vector<est::Certificate> all = state_.anchors;
  for (const est::Certificate& anchor : world_.configured_anchors) {
    if (std::ranges::find(all, anchor) == all.end()) all.push_back(anchor);
  }
  return all;
}

int64_t TrustKeeper::due() const {
  return state_.failures > 0 ? state_.next_attempt
                             : std::max(state_.next_attempt, state_.fetched_at + kRefreshInterval);
}

Outcome<> TrustKeeper::refresh(const Identity* identity, int64_t now) {
  auto fetched = fetch(identity, now);
  // Everybody may have the CA certificates (RFC 7030, section 4.1): a certificate that the server refuses is no
  // obstacle.
  if (!fetched && identity != nullptr && may_be_the_credential(fetched.error().kind)) fetched = fetch(nullptr, now);
  if (fetched) {
    state_.fetched_at = now;
    state_.succeeded();
    state_.next_attempt = now;
  } else {
    note_failure(world_, state_, fetched.error(), now);
    log_warning("CA certificates not fetched", {{"failure", state_.last_failure->name},
                                                {"detail", state_.last_failure->detail},
                                                {"again_at", est::time_text(state_.next_attempt)}});
  }
  const auto saved = world_.folder.save_trust(state_);
  if (!saved) log_error("state not saved", {{"cause", saved.error().detail}});
  return fetched ? saved : fetched;
}

// The first that works counts: who is known vouches for the rest; then what was configured to begin with. A CA that
// began anew is found again in that way.
Outcome<> TrustKeeper::fetch(const Identity* identity, int64_t now) {
  Outcome<> last = failed(FailureKind::kConfiguration, "the configuration names nobody who can vouch for the server");
  if (!anchors().empty()) {
    last = accept_from_known(identity, now);
    if (last || !is_about_trust(last.error().kind)) return last;
  }
  if (!world_.config.trust.fingerprints.empty()) {
    last = accept_by_fingerprint(now);
    if (last) return last;
  }
  if (state_.anchors.empty() && !world_.implicit_anchors.empty()) last = accept_from_implicit(now);
  return last;
}

Outcome<std::vector<est::Certificate>> TrustKeeper::ask(const Access& access) {
  const auto answer = world_.server.ca_certificates(access);
  if (!answer) return std::unexpected(answer.error());
  return est::parse_certs_only(world_.library, *answer);
}

Outcome<> TrustKeeper::accept_from_known(const Identity* identity, int64_t now) {
  const Access known = access(now, identity);
  const auto received = ask(known);
  if (!received) return std::unexpected(received.error());
  note_time(now);
  return take(est::accept_ca_certificates(world_.library, known.anchors, *received, now));
}

// RFC 7030, section 4.1.1: the answer of a server that nobody vouches for counts when a person has said which root it
// must have.
Outcome<> TrustKeeper::accept_by_fingerprint(int64_t now) {
  std::vector<est::Fingerprint> expected;
  for (const std::string& text : world_.config.trust.fingerprints) {
    const auto fingerprint = est::fingerprint_from_text(text);
    if (!fingerprint) return failed(FailureKind::kConfiguration, fingerprint.error().detail);
    expected.push_back(*fingerprint);
  }
  const auto received = ask({.server_unknown = true, .now = now});
  if (!received) return std::unexpected(received.error());
  return take(est::accept_by_fingerprint(world_.library, *received, expected, now));
}

Outcome<> TrustKeeper::accept_from_implicit(int64_t now) {
  const auto received = ask({.anchors = world_.implicit_anchors, .now = now});
  if (!received) return std::unexpected(received.error());
  note_time(now);
  return take(est::accept_from_trusted_server(world_.library, *received, now));
}

Outcome<> TrustKeeper::take(Outcome<est::CaCertificates> accepted) {
  if (!accepted) return std::unexpected(accepted.error());
  for (const est::Refused& refused : accepted->refused) {
    log_warning("CA certificate not taken", {{"subject", refused.certificate.subject()}, {"cause", refused.reason}});
  }
  if (accepted->anchors_changed) log_info("trust anchors changed", {{"anchors", accepted->anchors.size()}});
  state_.anchors = accepted->anchors;
  state_.intermediates = accepted->for_chains();
  return {};
}

// note_time remembers the latest time at which the server's certificate was valid: that vouches for the clock. A time
// that it showed by mistake must not make every time after it wrong.
void TrustKeeper::note_time(int64_t now) { state_.last_seen = std::max(state_.last_seen, now); }

void TrustKeeper::follow_clock(int64_t now) {
  est_service::follow_clock(world_, state_, now);
  state_.fetched_at = std::min(state_.fetched_at, now);
}

}  // namespace wvds::est_service
