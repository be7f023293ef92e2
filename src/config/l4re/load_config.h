#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/service_config.h"

namespace wvds::config {

// load_config reads config.json, a boot module such as /rom/config.json, as it is understood here: without users, files
// and loadable modules. `operations` are the words for those of this version. The error is everything that is wrong,
// one line each.
std::expected<ServiceConfig, std::string> load_config(const std::string& path,
                                                      std::vector<std::string_view> operations);

}  // namespace wvds::config
