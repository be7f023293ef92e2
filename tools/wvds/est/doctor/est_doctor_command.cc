#include <chrono>

#include "platform/wall_clock.h"
#include "tools/wvds/est/doctor/est_examination.h"

// est doctor
namespace wvds::tool {
namespace {

struct EstDoctorOptions {
  std::string config = "/etc/wvds/config.json";
  std::string user;
  bool as_json = false;
};

void examine(EstExamination& exam) {
  check_config(exam.crypto);
  check_est_config(exam);
  check_est_socket(exam);
  check_est_session(exam);
  check_est_state(exam);
  find_est_user(exam);
  check_est_crypto_service(exam);
  check_est_rights(exam);
  check_est_clock(exam);
  check_est_folder(exam);
  check_est_files(exam);
}

Outcome<> run_est_doctor(const Tool& tool, const EstDoctorOptions& options) {
  EstExamination exam;
  exam.service = est_options(tool);
  exam.is_socket_given = !tool.service.socket.empty();
  exam.user = options.user;
  exam.crypto.config_path = options.config;
  exam.crypto.service.timeout_ms = tool.service.timeout_ms;
  if (const auto now = platform::wall_clock_now())
    exam.now = std::chrono::duration_cast<std::chrono::seconds>(now->time_since_epoch()).count();
  examine(exam);
  TOOL_TRY(print(findings_report(exam.findings()), options.as_json));
  const size_t problems = exam.findings().count(Level::kProblem);
  if (problems == 0) return {};
  return failed("doctor found " + std::to_string(problems) + (problems == 1 ? " problem" : " problems"));
}

}  // namespace

void add_est_doctor_command(CLI::App& est, Tool& tool) {
  auto* command = est.add_subcommand("doctor", "Find why certificates are not enrolled or renewed, and say the cure");
  auto options = std::make_shared<EstDoctorOptions>();
  command->add_option("--config", options->config, "The configuration of both services")->capture_default_str();
  command->add_option("--user", options->user,
                      "The user that est_service runs as (default: of the running one, else its folder's owner)");
  add_json(command, options->as_json);
  when_chosen(command, tool, options, run_est_doctor);
}

}  // namespace wvds::tool
