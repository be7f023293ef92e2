#include "service/linux/load_config.h"

#include "config/linux/config_file.h"
#include "config/linux/system_users.h"
#include "protocol/operations.h"

namespace wvds::service {

std::expected<config::ServiceConfig, std::string> load_config(const std::string& path) {
  const config::SystemUsers users;
  config::Vocabulary vocabulary;
  vocabulary.users = &users;
  vocabulary.modules = true;
  vocabulary.tokens = true;
  vocabulary.credentials = true;
  vocabulary.files = true;
  for (const auto& info : protocol::operations()) vocabulary.operations.emplace_back(info.config_name);
  const auto text = config::read_config_file(path);
  if (!text) return std::unexpected(text.error());
  return config::load_service_config(path, *text, vocabulary);
}

}  // namespace wvds::service
