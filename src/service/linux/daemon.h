#pragma once

#include "base/result.h"
#include "config/service_config.h"

namespace wvds::service {

// run_daemon serves as the config says until SIGTERM, SIGINT or SIGHUP, and then ends cleanly: requests that were taken
// are finished, exact use counts are written. On failure the detail says what to do. Call it on the main thread, before
// other threads exist.
Result<> run_daemon(const config::ServiceConfig& config);

}  // namespace wvds::service
