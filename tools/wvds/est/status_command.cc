#include <ctime>

#include "tools/wvds/est/est_report.h"

// est status, and the family itself
namespace wvds::tool {
namespace {

struct EstStatusOptions {
  std::string name;
  bool as_json = false;
};

Outcome<> judge(const wvds_est_state& state, const EstCertificate* only) {
  std::string bad;
  for (const EstCertificate& certificate : certificates_of(state)) {
    const bool is_meant = only == nullptr || only == &certificate;
    if (!is_meant || is_good(certificate)) continue;
    bad += (bad.empty() ? "" : ", ") + std::string(certificate.name) + " (" + phase_word(certificate.phase) + ")";
  }
  if (bad.empty()) return {};
  return failed("no valid certificate: " + bad + "; \"wvds est doctor\" looks for the cause");
}

Outcome<> run_est_status(const Tool& tool, const EstStatusOptions& options) {
  TOOL_ASSIGN(session, connect_est(tool));
  TOOL_ASSIGN(state, ask_est(session, tool.service.timeout_ms));
  const EstCertificate* only = nullptr;
  if (!options.name.empty()) {
    TOOL_ASSIGN(named, named_certificate(*state, options.name));
    only = named;
  }
  TOOL_TRY(print(est_report(*state, only, static_cast<uint64_t>(std::time(nullptr))), options.as_json));
  return judge(*state, only);
}

}  // namespace

void add_est_status_command(CLI::App& est, Tool& tool) {
  auto* command = est.add_subcommand("status", "Say how the device's certificates and their renewal are");
  auto options = std::make_shared<EstStatusOptions>();
  command->add_option("NAME", options->name, "Only this certificate");
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_est_status);
}

void add_est_commands(CLI::App& app, Tool& tool) {
  auto* est = app.add_subcommand("est", "Enrol and renew the device's certificates, by est_service");
  est->require_subcommand(1);
  est->fallthrough();
  add_est_status_command(*est, tool);
  add_enrolment_commands(*est, tool);
  add_pem_commands(*est, tool);
  add_est_doctor_command(*est, tool);
}

}  // namespace wvds::tool
