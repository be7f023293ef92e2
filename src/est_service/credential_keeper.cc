#include "est_service/credential_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "est/certs_only.h"
#include "est/check.h"
#include "est/csr.h"
#include "est_service/timing.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

constexpr int64_t kDay = 86400;

}  // namespace

void CredentialKeeper::follow_clock(int64_t now) { est_service::follow_clock(world_, looks_, now); }

void CredentialKeeper::step(int64_t now) {
  if (!world_.file_identity || !world_.save_credential || !trust_.ready()) {
    looks_.next_attempt = now + kDay;
    return;
  }
  const auto next = look(now);
  if (next) {
    looks_.succeeded();
    looks_.next_attempt = *next;
    return;
  }
  note_failure(world_, looks_, next.error(), now);
  log_warning("credential not renewed", {{"failure", looks_.last_failure->name},
                                         {"detail", looks_.last_failure->detail},
                                         {"again_at", est::time_text(looks_.next_attempt)}});
}

// look returns when to look again.
Outcome<int64_t> CredentialKeeper::look(int64_t now) {
  const auto identity = world_.file_identity();
  if (!identity) return std::unexpected(identity.error());
  const est::Certificate& leaf = identity->chain.front();
  const std::vector<est::Certificate> anchors = trust_.anchors();
  std::vector<est::Certificate> helpers = trust_.state().intermediates;
  helpers.insert(helpers.end(), identity->chain.begin() + 1, identity->chain.end());
  const est::ChainRequest ours{.leaf = leaf, .anchors = anchors, .untrusted = helpers, .now = now};
  if (!est::find_chain(world_.library, ours)) return now + kDay;
  const int64_t renew_at = renewal_time(world_, leaf, std::nullopt, 0);
  if (now < renew_at) return std::min(renew_at, now + kDay);
  if (const auto renewed = renew(*identity, now); !renewed) return std::unexpected(renewed.error());
  return now + kDay;
}

Outcome<> CredentialKeeper::renew(const Identity& identity, int64_t now) {
  const est::Certificate& leaf = identity.chain.front();
  const Access access = trust_.access(now, &identity);
  est::CsrSpec spec;
  spec.renews = leaf;
  auto answer = world_.server.enroll(access, est::Operation::kSimpleReenroll,
                                     [&](Bytes) { return est::make_csr(world_.library, spec, identity.key.get()); });
  if (!answer) return std::unexpected(answer.error());
  const auto* issued = std::get_if<Issued>(&*answer);
  if (issued == nullptr) return failed(FailureKind::kRetryLater, "the server will answer later");
  const auto received = est::parse_certs_only(world_.library, issued->certificates);
  if (!received) return std::unexpected(received.error());
  est::IssuedCheck check{
      .received = *received, .anchors = access.anchors, .intermediates = trust_.state().intermediates};
  check.key = identity.key.get();
  check.subject = leaf.subject_parts();
  check.names = leaf.names();
  check.now = now;
  const auto chain = est::check_issued(world_.library, check);
  if (!chain) return std::unexpected(chain.error());
  std::string pem = chain->leaf.to_pem() + pem_of(chain->intermediates);
  if (auto saved = world_.save_credential(pem); !saved) return saved;
  log_info("credential renewed",
           {{"serial", chain->leaf.serial()}, {"not_after", est::time_text(chain->leaf.not_after())}});
  return {};
}

}  // namespace wvds::est_service
