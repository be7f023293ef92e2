#include "est_service/enroller.h"

#include <utility>

#include "base/log.h"
#include "est/base64.h"
#include "est/certs_only.h"
#include "est/check.h"
#include "est/csr_attributes.h"
#include "est/renewal_info.h"
#include "est/server_key.h"
#include "est/subject.h"
#include "est_service/hint_id.h"
#include "est_service/key_types.h"

namespace wvds::est_service {
namespace {

using est::failed;
using est::Failure;
using est::FailureKind;
using est::Outcome;

bool is_about_the_credential(FailureKind kind) {
  return kind == FailureKind::kCredentialRejected || kind == FailureKind::kCredentialExpired;
}

}  // namespace

Enroller::Enroller(Surroundings& surroundings, const config::EstCertificate& config, TrustKeeper& trust,
                   Siblings siblings, CertificateState state)
    : world_(surroundings), config_(config), trust_(trust), siblings_(std::move(siblings)), state_(std::move(state)) {}

int64_t Enroller::due() const { return has_work(state_.next_attempt) ? state_.next_attempt : state_.renew_at; }

void Enroller::follow_clock(int64_t now) { est_service::follow_clock(world_, state_, now); }

bool Enroller::has_work(int64_t now) const { return wants_another(now) || !state_.current_used; }

// wants_another: there is no certificate, or it is time for the next one.
bool Enroller::wants_another(int64_t now) const {
  return !state_.current || state_.pending || changed() || now >= state_.renew_at;
}

Outcome<> Enroller::step(int64_t now, bool renew) {
  auto done = renew || wants_another(now) ? attempt(now) : use_for_the_first_time(now);
  if (done) return done;
  const auto told = std::exchange(told_to_wait_s_, std::nullopt);
  note_failure(world_, state_, done.error(), now, time_left(now), told);
  log_warning("enrolment failed", {{"certificate", name()},
                                   {"failure", state_.last_failure->name},
                                   {"detail", state_.last_failure->detail},
                                   {"failures", state_.failures},
                                   {"again_at", est::time_text(state_.next_attempt)}});
  if (const auto saved = save(); !saved) log_error("state not saved", {{"cause", saved.error().detail}});
  return done;
}

// One connection that breaks is no verdict on the credential; one that keeps breaking may be.
bool Enroller::keeps_breaking(FailureKind kind) const {
  constexpr uint32_t kFailuresBefore = 2;
  return may_be_the_credential(kind) && state_.failures >= kFailuresBefore;
}

Outcome<> Enroller::attempt(int64_t now) {
  if (!trust_.ready()) return failed(FailureKind::kUnknownCa, "the CA certificates are not known yet");
  // Each certificate that can't be stored would cost the CA another one: the disk is tried before it is asked again.
  if (could_not_be_stored()) {
    if (const auto saved = save(); !saved) return saved;
  }
  const auto key = key_to_certify();
  if (!key) return std::unexpected(key.error());
  std::string why_not;
  std::vector<Shown> ways = ways_to_authenticate(now, why_not);
  Failure last{FailureKind::kConfiguration, "nothing to authenticate with: " + why_not};
  for (const Shown& shown : ways) {
    auto answer = ask_as(shown, *key, now);
    if (answer) return take(std::move(*answer), *key, now);
    last = std::move(answer.error());
    if (!is_about_the_credential(last.kind) && !keeps_breaking(last.kind)) break;
    log_warning("enrolment: not accepted", {{"certificate", name()}, {"cause", last.detail}});
  }
  return std::unexpected(std::move(last));
}

bool Enroller::could_not_be_stored() const {
  return state_.last_failure && state_.last_failure->name == est::failure_name(FailureKind::kStorage);
}

// key_to_certify is written down before it is used: after a crash it is found again.
Outcome<uint32_t> Enroller::key_to_certify() {
  if (state_.pending) return state_.pending->key_id;
  if (state_.current && !config_.rekey && state_.current->leaf().key_type() == key_type_of(config_.key_type)) {
    state_.pending = Pending{.key_id = state_.current->key_id};
    return state_.pending->key_id;
  }
  auto key = forgotten_key();
  if (!key) {
    auto made = new_key();
    if (!made) return made;
    key = *made;
  }
  state_.pending = Pending{.key_id = *key};
  if (const auto saved = save(); !saved) return std::unexpected(saved.error());
  return *key;
}

Outcome<uint32_t> Enroller::new_key() { return world_.keys.make_key(config_.key_type, kKeyLabel + name()); }

// forgotten_key finds a key that was made for this certificate and is in no state: the service ended before it could
// write it down, or the state was lost. Numbers only grow: a key older than the present one is what a renewal could not
// delete any more, and goes now.
std::optional<uint32_t> Enroller::forgotten_key() {
  const auto keys = world_.keys.own_keys();
  if (!keys) return std::nullopt;
  std::optional<uint32_t> found;
  for (const OwnKey& key : *keys) {
    if (key.label != kKeyLabel + name()) continue;
    if (state_.current && key.id <= state_.current->key_id) {
      remove_key_unless_used(key.id);
    } else if (key.algorithm == config_.key_type) {
      found = key.id;
    }
  }
  return found;
}

std::vector<Enroller::Shown> Enroller::ways_to_authenticate(int64_t now, std::string& why_not) {
  std::vector<Shown> ways;
  const auto add = [&](std::string what, Outcome<Identity> identity, bool renews) {
    if (identity) return ways.push_back({std::move(what), std::move(*identity), renews});
    why_not += what + ": " + identity.error().detail + "; ";
  };
  if (const Enroller* signer = config_.signed_by.empty() ? nullptr : siblings_(config_.signed_by)) {
    add("certificate " + signer->name(), signer->identity(now), false);
    return ways;
  }
  if (state_.current) add("the present certificate", identity(now), true);
  if (world_.file_identity) add("the credential's certificate", world_.file_identity(), false);
  if (!world_.config.credential.username.empty()) ways.push_back({.what = "the password"});
  if (ways.empty() && why_not.empty()) why_not = "the configuration has no \"credential\"";
  return ways;
}

// ask_as says in its failures by what it authenticated, if it came to that.
Outcome<EnrollAnswer> Enroller::ask_as(const Shown& shown, uint32_t key_id, int64_t now) {
  bool password_used = false;
  Access access = trust_.access(now, shown.identity ? &*shown.identity : nullptr);
  access.password_used = &password_used;
  const auto failed_by_it = [&](Failure failure) {
    if (shown.identity || password_used) failure.detail += " (authenticated by " + shown.what + ")";
    return std::unexpected(std::move(failure));
  };
  auto spec = request_spec(shown, access);
  if (!spec) return failed_by_it(std::move(spec.error()));
  spec_ = std::move(*spec);
  const auto operation = config_.server_made_key      ? est::Operation::kServerKeygen
                         : shown.renews && !changed() ? est::Operation::kSimpleReenroll
                                                      : est::Operation::kSimpleEnroll;
  auto answer = world_.server.enroll(access, operation,
                                     [&](Bytes binding) { return make_request(spec_, shown, key_id, binding); });
  if (!answer) return failed_by_it(std::move(answer.error()));
  return answer;
}

// The server's CSR attributes come first (RFC 7030, section 2.6); one that has none demands nothing.
Outcome<est::CsrSpec> Enroller::request_spec(const Shown& shown, const Access& access) const {
  est::CsrSpec spec;
  spec.key_type = key_type_of(config_.key_type);
  auto subject = est::parse_subject(config_.subject);
  if (!subject) return std::unexpected(subject.error());
  spec.subject = std::move(*subject);
  spec.names = est::Names{config_.dns, config_.ip, config_.uri, config_.email};
  if (shown.renews && state_.current && !changed()) spec.renews = state_.current->leaf();
  const auto attributes = world_.server.csr_attributes(access);
  if (!attributes && attributes.error().kind != FailureKind::kNotOffered) return std::unexpected(attributes.error());
  if (!attributes || !*attributes) return spec;
  const auto demands = est::parse_csr_attributes(**attributes);
  if (!demands) return std::unexpected(demands.error());
  if (const auto obeyed = est::obey(*demands, spec); !obeyed) return std::unexpected(obeyed.error());
  return spec;
}

// asked_for is what the configuration wants to be certified. RFC 7030, section 4.2.2 renews for the same names only:
// with others the certificate is enrolled anew.
std::string Enroller::asked_for() const {
  std::string text = config_.subject;
  for (const auto& [kind, names] : {std::pair{"dns", &config_.dns}, std::pair{"ip", &config_.ip},
                                    std::pair{"uri", &config_.uri}, std::pair{"email", &config_.email}}) {
    for (const std::string& name : *names) text += std::string("\n") + kind + ":" + name;
  }
  return text;
}

bool Enroller::changed() const { return state_.current && state_.asked_for != asked_for(); }

// A server that took the request to answer it later gets the very same one again (RFC 7030, section 4.2.3), unless the
// request has to be linked to this connection.
Outcome<std::vector<std::byte>> Enroller::make_request(est::CsrSpec spec, const Shown& shown, uint32_t key_id,
                                                       Bytes binding) {
  const bool again = state_.pending && state_.pending->waiting && !state_.pending->request.empty();
  if (again && !spec.wants_binding) return sent_ = state_.pending->request;
  if (spec.wants_binding) {
    const auto text = est::encode_body(binding);
    if (!text) return std::unexpected(text.error());
    spec.challenge_password = text_of(*text);
  }
  const auto key = certified_key(key_id);
  if (!key) return std::unexpected(key.error());
  if (!is_ml_kem(config_.key_type)) {
    auto made = est::make_csr(world_.library, spec, key->get());
    if (made) sent_ = *made;
    return made;
  }
  const auto spki = crypto::spki_of(key->get());
  if (!spki) return failed(FailureKind::kKeyService, spki.error().detail);
  const est::Statement statement{shown.identity->chain.front(), shown.identity->key.get()};
  auto made = est::make_kem_csr(world_.library, spec, *spki, statement);
  if (made) sent_ = *made;
  return made;
}

// certified_key opens the key whose public half is certified.
Outcome<crypto::KeyHandle> Enroller::certified_key(uint32_t key_id) const {
  return is_ml_kem(config_.key_type) ? world_.keys.public_key(config_.key_type, key_id) : world_.keys.open_key(key_id);
}

Outcome<> Enroller::take(EnrollAnswer answer, uint32_t key_id, int64_t now) {
  if (const auto* later = std::get_if<Later>(&answer)) return take_later(*later, now);
  if (const auto* issued = std::get_if<Issued>(&answer)) return take_certificates(issued->certificates, key_id, now);
  auto& made = std::get<ServerMade>(answer);
  const auto key = est::read_server_key(world_.library, made.key);
  if (!key) return std::unexpected(key.error());
  const auto imported = world_.keys.import_key(config_.key_type, key->pkcs8.expose(), kKeyLabel + name());
  if (!imported) return std::unexpected(imported.error());
  auto taken = take_certificates(made.certificates, *imported, now);
  remove_key_unless_used(key_id);  // it only signed the request
  // After a failed sync the new certificate may be the one on the disk.
  if (taken || taken.error().kind != FailureKind::kStorage) remove_key_unless_used(*imported);
  return taken;
}

Outcome<> Enroller::take_later(const Later& later, int64_t now) {
  told_to_wait_s_ = later.seconds;
  if (!later.accepted) return failed(FailureKind::kRetryLater, later.detail);
  state_.pending->waiting = true;
  state_.pending->request = sent_;
  const int64_t seconds = later.seconds.value_or(world_.config.retry.first_s);
  state_.next_attempt = told_time(world_, now, seconds, time_left(now));
  state_.succeeded();
  log_info("enrolment: the server will answer later",
           {{"certificate", name()}, {"again_at", est::time_text(state_.next_attempt)}});
  return save();
}

Outcome<> Enroller::take_certificates(Bytes der, uint32_t key_id, int64_t now) {
  const auto received = est::parse_certs_only(world_.library, der);
  if (!received) return std::unexpected(received.error());
  const auto key = certified_key(key_id);
  if (!key) return std::unexpected(key.error());
  auto chain = check(*received, key->get(), now);
  if (!chain) return std::unexpected(chain.error());
  Installed next{.key_id = key_id, .chain = {std::move(chain->leaf)}};
  for (est::Certificate& certificate : chain->intermediates) next.chain.push_back(std::move(certificate));
  return install(std::move(next), now);
}

Outcome<est::Chain> Enroller::check(const std::vector<est::Certificate>& received, const EVP_PKEY* key,
                                    int64_t now) const {
  const std::vector<est::Certificate> anchors = trust_.anchors();
  est::IssuedCheck check{.received = received, .anchors = anchors, .intermediates = trust_.state().intermediates};
  check.key = key;
  check.subject = spec_.subject;
  check.names = spec_.names;
  check.now = now;
  check.purpose = is_ml_kem(config_.key_type) ? est::Purpose::kKeyEstablishment : est::Purpose::kTlsClient;
  return est::check_issued(world_.library, check);
}

// install counts only when it is durable; until then the certificate before is the one in use.
Outcome<> Enroller::install(Installed next, int64_t now) {
  const CertificateState before = state_;
  state_.previous = state_.current;
  state_.current = std::move(next);
  state_.current_used = false;
  state_.asked_for = asked_for();
  state_.pending.reset();
  state_.hint.reset();
  state_.succeeded();
  state_.renew_at = next_renewal();
  // One that is due when it comes (the clock is ahead of the CA's) would be renewed without end.
  state_.next_attempt = now < state_.renew_at ? now : now + world_.config.retry.longest_s;
  if (const auto saved = save(); !saved) {
    state_ = before;
    return saved;
  }
  const est::Certificate& leaf = state_.current->leaf();
  log_info("certificate installed", {{"certificate", name()},
                                     {"serial", leaf.serial()},
                                     {"not_after", est::time_text(leaf.not_after())},
                                     {"renew_at", est::time_text(state_.renew_at)},
                                     {"key", state_.current->key_id}});
  if (before.previous) remove_key_unless_used(before.previous->key_id);
  if (world_.installed) world_.installed(name());
  return use_for_the_first_time(now);
}

// use_for_the_first_time shows the new certificate to the server. Only one that it does not accept is a reason to go
// back: without the server nothing is known.
Outcome<> Enroller::use_for_the_first_time(int64_t now) {
  // The CA's clock may be ahead of this one, by what the check tolerates: until it is valid nobody accepts it, and some
  // servers not in its first second.
  if (const int64_t begin = state_.current->leaf().not_before(); now <= begin) {
    state_.next_attempt = begin + 1;
    return save();
  }
  if (!is_ml_kem(config_.key_type)) {
    const auto shown = identity(now);
    if (!shown) return std::unexpected(shown.error());
    if (const auto asked = world_.server.ca_certificates(trust_.access(now, &*shown)); !asked) {
      if (is_about_the_credential(asked.error().kind)) return roll_back(asked.error(), now);
      return std::unexpected(asked.error());
    }
  }
  const CertificateState before = state_;
  state_.current_used = true;
  state_.succeeded();
  auto saved = save();
  if (!saved) state_ = before;
  return saved;
}

Outcome<> Enroller::roll_back(Failure cause, int64_t now) {
  cause.detail = "the server does not accept the certificate that it issued: " + cause.detail;
  state_.current_used = true;
  const uint32_t refused = state_.current->key_id;
  const bool is_taken_back = state_.previous && state_.previous->leaf().valid_at(now);
  if (is_taken_back) {
    state_.current = std::exchange(state_.previous, std::nullopt);
    state_.hint.reset();
    state_.renew_at = next_renewal();
    told_to_wait_s_ = world_.config.retry.longest_s;  // each attempt costs the CA a certificate
    log_warning("certificate taken back: the one before is in use again", {{"certificate", name()}});
    if (world_.installed) world_.installed(name());
  }
  if (const auto saved = save(); !saved) return saved;
  if (is_taken_back) remove_key_unless_used(refused);  // only now: until then the disk has the certificate for it
  return std::unexpected(std::move(cause));
}

Outcome<> Enroller::save() { return world_.folder.save_certificate(name(), state_); }

void Enroller::remove_key_unless_used(uint32_t key_id) {
  const auto has = [&](const auto& part) { return part && part->key_id == key_id; };
  if (key_id == 0 || has(state_.current) || has(state_.previous) || has(state_.pending)) return;
  if (const auto removed = world_.keys.remove_key(key_id); !removed)
    log_warning("old key not deleted", {{"key", key_id}, {"cause", removed.error().detail}});
}

Outcome<Identity> Enroller::identity(int64_t now) const {
  if (!state_.current) return failed(FailureKind::kNotUsable, "there is no certificate " + name() + " yet");
  const est::Certificate& leaf = state_.current->leaf();
  if (!leaf.valid_at(now))
    return failed(FailureKind::kExpired, "it is valid from " + est::time_text(leaf.not_before()) + " to " +
                                             est::time_text(leaf.not_after()) + ", and it is " + est::time_text(now));
  auto key = world_.keys.open_key(state_.current->key_id);
  if (!key) return std::unexpected(key.error());
  return Identity{state_.current->chain, std::move(*key)};
}

// time_left is how long the certificate in use is still valid; nothing without one.
est::Pressure Enroller::time_left(int64_t now) const {
  if (!state_.current) return std::nullopt;
  return state_.current->leaf().not_after() - now;
}

int64_t Enroller::next_renewal() const {
  std::optional<est::RenewalWindow> window;
  if (state_.hint) window = est::RenewalWindow{state_.hint->begin, state_.hint->end};
  return renewal_time(world_, state_.current->leaf(), window, world_.random());
}

bool Enroller::follow_hint(int64_t now) {
  const auto id = state_.current ? hint_id(state_.current->leaf()) : std::nullopt;
  if (!id) return false;
  const auto answer = world_.server.renewal_info(trust_.access(now), *id);
  if (!answer) return answer.error().kind != FailureKind::kNotOffered;
  const auto info = est::parse_renewal_info(*answer);
  if (info) {
    take_hint({info->window.start, info->window.end, info->explanation_url});
  } else {
    log_warning("renewal hint not understood", {{"certificate", name()}, {"cause", info.error().detail}});
  }
  return true;
}

void Enroller::take_hint(const Hint& hint) {
  if (state_.hint == hint) return;
  state_.hint = hint;
  state_.renew_at = next_renewal();
  log_info("the server says when to renew",
           {{"certificate", name()}, {"renew_at", est::time_text(state_.renew_at)}, {"explanation", hint.explanation}});
  if (const auto saved = save(); !saved) log_error("state not saved", {{"cause", saved.error().detail}});
}

CertificateStatus Enroller::status(int64_t now) const {
  CertificateStatus out;
  out.name = name();
  out.key_type = config_.key_type;
  out.next_attempt = due();
  out.failures = state_.failures;
  out.last_failure = state_.last_failure;
  out.phase = state_.pending && state_.pending->waiting ? Phase::kWaiting : Phase::kMissing;
  if (!state_.current) return out;
  const est::Certificate& leaf = state_.current->leaf();
  out.phase = now > leaf.not_after() ? Phase::kExpired : now >= state_.renew_at ? Phase::kDue : Phase::kValid;
  out.key_id = state_.current->key_id;
  out.subject = leaf.subject();
  out.fingerprint = leaf.fingerprint_text();
  out.chain_pem = pem_of(state_.current->chain);
  out.not_before = leaf.not_before();
  out.not_after = leaf.not_after();
  out.renew_at = state_.renew_at;
  if (!state_.previous) return out;
  out.previous_key_id = state_.previous->key_id;
  out.previous_chain_pem = pem_of(state_.previous->chain);
  return out;
}

}  // namespace wvds::est_service
