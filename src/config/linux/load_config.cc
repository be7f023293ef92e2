#include "config/linux/load_config.h"

#include "config/linux/config_file.h"
#include "config/linux/system_users.h"

namespace wvds::config {

std::expected<ServiceConfig, std::string> load_config(const std::string& path,
                                                      std::vector<std::string_view> operations) {
  const SystemUsers users;
  Vocabulary vocabulary;
  vocabulary.operations = std::move(operations);
  vocabulary.users = &users;
  vocabulary.modules = true;
  vocabulary.tokens = true;
  vocabulary.credentials = true;
  vocabulary.files = true;
  const auto text = read_config_file(path);
  if (!text) return std::unexpected(text.error());
  return load_service_config(path, *text, vocabulary);
}

}  // namespace wvds::config
