// wvds_crypto_service: reads the command line and the config, and runs the daemon.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/log.h"
#include "keystore/hsm/linux/helper_main.h"
#include "platform/linux/last_words.h"
#include "platform/linux/log_sink.h"
#include "service/linux/command_line.h"
#include "service/linux/daemon.h"
#include "service/linux/load_config.h"

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;  // command line or config

int run(const wvds::config::ServiceConfig& config, const std::string& config_path) {
  wvds::platform::start_logging(config.log_level);
  const wvds::Result<> served = wvds::service::run_daemon(config, config_path);
  if (served) return 0;
  wvds::log_error(served.error().detail, {{"status", wvds::status_name(served.error().status)}});
  return kExitFailure;
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what nobody catches ends the program, with its last words
int main(int argc, char** argv) {
  if (const auto code = wvds::keystore::hsm::run_as_helper(argc, argv)) return *code;
  wvds::platform::say_last_words();
  CLI::App app;
  wvds::service::CommandLine command_line;
  wvds::service::describe_command_line(app, command_line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const auto config = wvds::service::load_config(command_line.config_path);
  if (!config) {
    std::fputs(config.error().c_str(), stderr);
    return kExitUsage;
  }
  if (!command_line.check_only) return run(*config, command_line.config_path);
  std::puts("ok");
  return 0;
}
