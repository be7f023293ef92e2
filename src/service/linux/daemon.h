#pragma once

#include <string>

#include "base/result.h"
#include "config/service_config.h"

namespace wvds::service {

// run_daemon serves as `config` says until SIGTERM or SIGINT, and then ends cleanly: requests that were taken are
// finished, exact use counts are written. SIGHUP makes it read the configuration again, from `config_path`. On failure
// the detail says what to do. Call it on the main thread, before other threads exist.
Result<> run_daemon(const config::ServiceConfig& config, const std::string& config_path);

}  // namespace wvds::service
