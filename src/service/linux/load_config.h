#pragma once

#include <expected>
#include <string>

#include "config/service_config.h"

namespace wvds::service {

// load_config reads config.json as this machine understands it: with its users, and the operations of this version. The
// error is everything that is wrong, one line each.
std::expected<config::ServiceConfig, std::string> load_config(const std::string& path);

}  // namespace wvds::service
