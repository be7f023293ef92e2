#include "service/linux/load_config.h"

#include "config/linux/load_config.h"
#include "protocol/operations.h"

namespace wvds::service {

std::expected<config::ServiceConfig, std::string> load_config(const std::string& path) {
  std::vector<std::string_view> words;
  for (const auto& info : protocol::operations()) words.emplace_back(info.config_name);
  return config::load_config(path, std::move(words));
}

}  // namespace wvds::service
