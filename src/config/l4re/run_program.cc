#include "config/l4re/run_program.h"

#include <cstdio>
#include <cstdlib>

#include "base/log.h"

namespace wvds::config {
namespace {

constexpr int kExitUsage = 2;  // command line or config

}  // namespace

int run_program(int argc, char** argv, std::expected<ServiceConfig, std::string> (*load)(const std::string& path),
                Result<> (*serve)(const ServiceConfig& config)) {
  const auto config = load(argc > 1 ? argv[1] : "/rom/config.json");
  if (!config) {
    std::fputs(config.error().c_str(), stdout);
    return kExitUsage;
  }
  set_log_level(config->log_level);
  const Result<> served = serve(*config);
  if (served) return EXIT_SUCCESS;
  log_error(served.error().detail, {{"status", status_name(served.error().status)}});
  return EXIT_FAILURE;
}

}  // namespace wvds::config
