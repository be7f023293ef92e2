#pragma once

#include "base/result.h"
#include "config/service_config.h"

namespace wvds::est_service {

// run_daemon enrols and serves until SIGTERM or SIGINT. `config` has the section "est".
Result<> run_daemon(const config::ServiceConfig& config);

}  // namespace wvds::est_service
