#pragma once

#include <expected>
#include <string>

#include "base/result.h"
#include "config/service_config.h"

namespace wvds::config {

// run_program is a service's main function: it reads the configuration by `load`, from the boot module that the first
// argument names (/rom/config.json where there is none), and serves by it until the system ends. It returns the exit
// code: 1 for a failure, 2 for a configuration that is wrong.
int run_program(int argc, char** argv, std::expected<ServiceConfig, std::string> (*load)(const std::string& path),
                Result<> (*serve)(const ServiceConfig& config));

}  // namespace wvds::config
