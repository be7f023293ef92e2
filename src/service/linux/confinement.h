#pragma once

#include <string>
#include <vector>

#include "config/service_config.h"
#include "platform/linux/sandbox.h"

// What crypto_service's sandbox lets it have, as its configuration says.
namespace wvds::service {

// prepare_sandbox loads what can't be loaded any more once files are confined, and makes the audit log's own folder
// where it is missing: only what is there can be allowed. What it can't load or make is told by whoever needs it.
void prepare_sandbox(const config::ServiceConfig& config);

// call_rules and file_rules are for platform::Sandbox.
platform::CallRules call_rules(const config::ServiceConfig& config);
std::vector<platform::FileRule> file_rules(const config::ServiceConfig& config, const std::string& config_path);

}  // namespace wvds::service
