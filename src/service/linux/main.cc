// wvds_crypto_service: reads the command line and the config, and runs the daemon.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/log.h"
#include "config/linux/config_file.h"
#include "config/linux/system_users.h"
#include "config/service_config.h"
#include "protocol/operations.h"
#include "service/linux/daemon.h"
#include "service/linux/log_sink.h"

namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;  // command line or config

std::expected<wvds::config::ServiceConfig, std::string> load_config(const std::string& path) {
  const wvds::config::SystemUsers users;
  wvds::config::Vocabulary vocabulary;
  vocabulary.users = &users;
  for (const auto& info : wvds::protocol::operations()) vocabulary.operations.emplace_back(info.config_name);
  const auto text = wvds::config::read_config_file(path);
  if (!text) return std::unexpected(text.error());
  return wvds::config::load_service_config(path, *text, vocabulary);
}

int run(const wvds::config::ServiceConfig& config) {
  wvds::service::start_logging(config.log_level);
  const wvds::Result<> served = wvds::service::run_daemon(config);
  if (served) return 0;
  wvds::log_error(served.error().detail, {{"status", wvds::status_name(served.error().status)}});
  return kExitFailure;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "The WvdS Crypto Service: keeps keys and does cryptography for programs that may use but never read them.\n"
      "Exit codes: 0 stopped as asked (or the config is right), 1 failure, 2 wrong command line or config.",
      "wvds_crypto_service");
  std::string config_path = "/etc/wvds/config.json";
  bool check_only = false;
  app.add_option("--config", config_path, "config file (docs/config.md)")->capture_default_str()->type_name("FILE");
  app.add_flag("--check-config", check_only, "say whether the config file is right, and end");
  app.set_version_flag("--version", "wvds_crypto_service " WVDS_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  const auto config = load_config(config_path);
  if (!config) {
    std::fputs(config.error().c_str(), stderr);
    return kExitUsage;
  }
  if (!check_only) return run(*config);
  std::puts("ok");
  return 0;
}
