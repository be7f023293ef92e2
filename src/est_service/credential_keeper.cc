#include "est_service/credential_keeper.h"

#include <algorithm>

#include "base/log.h"
#include "est/certs_only.h"
#include "est/check.h"
#include "est/csr.h"
#include "est/schedule.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::FailureKind;
using est::Outcome;

constexpr int64_t kDay = 86400;

}  // namespace

void CredentialKeeper::step(int64_t now) {
  if (!world_.file_identity || !trust_.ready()) {
    next_look_ = now + kDay;
    return;
  }
  const auto next = look(now);
  if (next) {
    failures_ = 0;
    next_look_ = *next;
    return;
  }
  const est::RetryRule rule{.first_s = world_.config.retry.first_s, .longest_s = world_.config.retry.longest_s};
  next_look_ = now + std::max<int64_t>(1, est::retry_delay_ms(rule, ++failures_, std::nullopt, world_.random()) / 1000);
  log_warning("credential not renewed", {{"failure", est::failure_name(next.error().kind)},
                                         {"detail", next.error().detail},
                                         {"again_at", est::time_text(next_look_)}});
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
  const est::RenewalRule rule{.at_percent = world_.config.renewal.at_percent,
                              .jitter_percent = world_.config.renewal.jitter_percent};
  const int64_t renew_at = est::renewal_time({leaf.not_before(), leaf.not_after()}, rule, std::nullopt, 0);
  if (now < renew_at) return std::min(renew_at, now + kDay);
  if (const auto renewed = renew(*identity, now); !renewed) return std::unexpected(renewed.error());
  return now + kDay;
}

Outcome<> CredentialKeeper::renew(const Identity& identity, int64_t now) {
  const est::Certificate& leaf = identity.chain.front();
  Access access;
  access.anchors = trust_.anchors();
  access.identity = &identity;
  access.now = now;
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
