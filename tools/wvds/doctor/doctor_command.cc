#include "tools/wvds/commands.h"
#include "tools/wvds/doctor/examination.h"

// doctor
namespace wvds::tool {
namespace {

struct DoctorOptions {
  std::string config = "/etc/wvds/config.json";
  std::string user;
  bool as_json = false;
};

void examine(Examination& exam) {
  check_config(exam);
  check_socket(exam);
  check_session(exam);
  find_service_user(exam);
  check_config_readable(exam);
  check_store(exam);
  check_protector(exam);
  check_tpm(exam);
  check_disk(exam);
  check_fips(exam);
  check_engines(exam);
  check_locked_memory(exam);
  check_service(exam);
  check_keys(exam);
  check_clock(exam);
}

Outcome<> run_doctor(const Tool& tool, const DoctorOptions& options) {
  Examination exam;
  exam.service = tool.service;
  exam.config_path = options.config;
  exam.user = options.user;
  examine(exam);
  TOOL_TRY(print(findings_report(exam.findings), options.as_json));
  const size_t problems = exam.findings.count(Level::kProblem);
  if (problems == 0) return {};
  return failed("doctor found " + std::to_string(problems) + (problems == 1 ? " problem" : " problems"));
}

}  // namespace

void add_doctor_command(CLI::App& app, Tool& tool) {
  auto* command = app.add_subcommand("doctor", "Find what is wrong with an installation, and say the cure");
  auto options = std::make_shared<DoctorOptions>();
  command->add_option("--config", options->config, "The service's configuration")->capture_default_str();
  command->add_option("--user", options->user,
                      "The user that the service runs as (default: of the running service, else the store's owner)");
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_doctor);
}

}  // namespace wvds::tool
