#include "service/linux/load_config.h"

#include "config/linux/load_config.h"
#include "protocol/operations.h"

namespace wvds::service {

std::expected<config::ServiceConfig, std::string> load_config(const std::string& path) {
  return config::load_config(path, protocol::config_names());
}

}  // namespace wvds::service
