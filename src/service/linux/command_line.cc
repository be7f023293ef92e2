#include "service/linux/command_line.h"

#include "crypto/program_version.h"

namespace wvds::service {

void describe_command_line(CLI::App& app, CommandLine& out) {
  app.name("wvds_crypto_service");
  app.description(
      "The WvdS Crypto Service: keeps keys and does cryptography for programs that may use but never read them.\n"
      "Exit codes: 0 stopped as asked (or the config is right), 1 failure, 2 wrong command line or config.");
  app.add_option("--config", out.config_path, "config file (docs/config.md)")->capture_default_str()->type_name("FILE");
  app.add_flag("--check-config", out.check_only, "say whether the config file is right, and end");
  app.set_version_flag("--version", [] { return crypto::program_version("wvds_crypto_service", WVDS_VERSION); });
}

}  // namespace wvds::service
