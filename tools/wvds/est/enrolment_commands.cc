#include "platform/wall_clock.h"
#include "tools/wvds/est/attempt.h"
#include "tools/wvds/est/est_report.h"

// est enroll, est renew
namespace wvds::tool {
namespace {

struct EnrolmentOptions {
  std::string name;
  uint32_t wait_seconds = 180;
  bool is_renewal = false;
};

Seen seen(const wvds_est_state& state, const EstCertificate& certificate) { return {state.num_attempts, certificate}; }

std::string valid_until(const EstCertificate& certificate) {
  return "valid until " + platform::date_text(certificate.not_after) + ", key " + std::to_string(certificate.key_id);
}

std::string still_in_use(const EstCertificate& certificate) {
  if (certificate.key_id == 0) return "";
  return ". The certificate in use is " + std::string(is_good(certificate) ? "still " : "no longer ") +
         "valid (until " + platform::date_text(certificate.not_after) + ")";
}

Outcome<> tell(Ended ended, const EstCertificate& certificate) {
  const std::string name = certificate.name;
  if (ended == Ended::kInstalled) return write_text(name + ": new certificate, " + valid_until(certificate) + "\n");
  if (ended == Ended::kLater) {
    return failed(name + ": not yet: the server took the request and answers later; est_service asks again at " +
                  platform::date_text(certificate.next_attempt) + still_in_use(certificate));
  }
  return failed(name + ": " + failure_text(certificate.failure) + still_in_use(certificate));
}

// A certificate that is there already is only replaced when asked to.
Outcome<> attempt(const Tool& tool, const Session& session, const std::string& name, const EnrolmentOptions& options) {
  TOOL_ASSIGN(state, ask_est(session, tool.service.timeout_ms));
  TOOL_ASSIGN(certificate, named_certificate(*state, name));
  if (!options.is_renewal && is_good(*certificate)) {
    return write_text(name + ": nothing to do, there is a certificate, " + valid_until(*certificate) +
                      "; \"wvds est renew " + name + "\" gets a new one\n");
  }
  const Seen before = seen(*state, *certificate);
  const uint32_t flags = options.is_renewal || certificate->key_id != 0 ? WVDS_EST_RENEW_NOW : 0;
  const auto ask = [&] { return wvds_est_renew(session.get(), name.c_str(), flags); };
  TOOL_TRY(check_est(waiting_out(ask), name));
  Ended ended = Ended::kNotYet;
  const auto is_done = [&](const wvds_est_state& now) {
    const auto found = named_certificate(now, name);
    ended = found ? how_it_ended(before, seen(now, **found)) : Ended::kNotYet;
    return ended != Ended::kNotYet;
  };
  TOOL_ASSIGN(after, until_true(session, options.wait_seconds, name, is_done));
  TOOL_ASSIGN(found, named_certificate(*after, name));
  return tell(ended, *found);
}

Outcome<std::vector<std::string>> chosen_names(const Tool& tool, const Session& session, const std::string& name) {
  if (!name.empty()) return std::vector{name};
  TOOL_ASSIGN(state, ask_est(session, tool.service.timeout_ms));
  std::vector<std::string> names;
  for (const EstCertificate& certificate : certificates_of(*state)) names.emplace_back(certificate.name);
  return names;
}

// One that fails does not keep the others from being tried. The last failure ends the program, those before it are
// told as they come.
Outcome<> run_enrolment(const Tool& tool, const EnrolmentOptions& options) {
  TOOL_ASSIGN(session, connect_est(tool));
  TOOL_ASSIGN(names, chosen_names(tool, session, options.name));
  Outcome<> outcome;
  for (const std::string& name : names) {
    auto next = attempt(tool, session, name, options);
    if (next) continue;
    if (!outcome) complain(outcome.error().message);
    outcome = std::move(next);
  }
  return outcome;
}

void add_command(CLI::App& est, Tool& tool, const char* name, const char* what, bool is_renewal) {
  auto* command = est.add_subcommand(name, what);
  auto options = std::make_shared<EnrolmentOptions>();
  options->is_renewal = is_renewal;
  command->add_option("NAME", options->name, "Only this certificate");
  command->add_option("--wait", options->wait_seconds, "Wait at most this many seconds for the outcome of each")
      ->check(CLI::Range(1u, 86400u))
      ->capture_default_str();
  when_chosen(command, tool, options, run_enrolment);
}

}  // namespace

void add_enrolment_commands(CLI::App& est, Tool& tool) {
  add_command(est, tool, "enroll", "Get the certificates that are missing or expired, now", false);
  add_command(est, tool, "renew", "Get new certificates now, also where they are not due", true);
}

}  // namespace wvds::tool
