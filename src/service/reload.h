#pragma once

#include <string>
#include <vector>

#include "config/service_config.h"

namespace wvds::service {

// needs_restart names the sections of `next` that differ from `running` and can't change while the service runs. What
// can: clients, rate_limit, sessions.total, log_level and metrics.interval_s.
std::vector<std::string> needs_restart(const config::ServiceConfig& running, const config::ServiceConfig& next);

}  // namespace wvds::service
