// wvds_est_service: reads the command line and the config, and runs the daemon.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/log.h"
#include "config/linux/load_config.h"
#include "est_service/check_config.h"
#include "est_service/linux/command_line.h"
#include "est_service/linux/daemon.h"
#include "platform/linux/last_words.h"
#include "platform/linux/log_sink.h"
#include "protocol/operations.h"

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;  // command line or config

std::expected<wvds::config::ServiceConfig, std::string> load(const std::string& path) {
  auto config = wvds::config::load_config(path, wvds::protocol::config_names());
  if (!config) return config;
  if (!config->est) {
    return std::unexpected(path + ": has no section \"est\", which says what to enrol where (docs/config.md)\n");
  }
  const auto checked = wvds::est_service::check_config(*config->est);
  if (!checked) return std::unexpected(path + ": " + checked.error().detail);
  return config;
}

int run(const wvds::config::ServiceConfig& config) {
  wvds::platform::start_logging(config.log_level);
  const wvds::Result<> served = wvds::est_service::run_daemon(config);
  if (served) return 0;
  wvds::log_error(served.error().detail, {{"status", wvds::status_name(served.error().status)}});
  return kExitFailure;
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what nobody catches ends the program
int main(int argc, char** argv) {
  wvds::platform::say_last_words();
  CLI::App app;
  wvds::est_service::CommandLine command_line;
  wvds::est_service::describe_command_line(app, command_line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const auto config = load(command_line.config_path);
  if (!config) {
    std::fputs(config.error().c_str(), stderr);
    return kExitUsage;
  }
  if (!command_line.check_only) return run(*config);
  std::puts("ok");
  return 0;
}
