// Feeds any bytes to load_service_config (and so to parse_json and Section). Property: the answer is a config or at
// least one line that begins with the file's name, and every line of it is printable.
#include <cstdint>
#include <cstdlib>

#include "config/service_config.h"

namespace {

class OneUser : public wvds::config::Users {
 public:
  std::optional<uint32_t> user_id(const std::string& name) const override { return name.size(); }
  std::optional<uint32_t> group_id(const std::string&) const override { return std::nullopt; }
};

void require(bool holds) {
  if (!holds) std::abort();
}

void check_messages(const std::string& messages) {
  require(messages.starts_with("c.json") && messages.ends_with('\n'));
  for (const char c : messages) require(c == '\n' || (c >= 0x20 && c < 0x7f));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const OneUser users;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  wvds::config::Vocabulary on_l4re;
  on_l4re.operations = {"aes-encrypt", "key-import"};
  wvds::config::Vocabulary on_linux = on_l4re;
  on_linux.users = &users;
  on_linux.modules = true;
  on_linux.tokens = true;
  on_linux.credentials = true;
  on_linux.files = true;
  for (const auto& vocabulary : {on_linux, on_l4re}) {
    const auto config = wvds::config::load_service_config("c.json", text, vocabulary);
    if (!config) check_messages(config.error());
  }
  return 0;
}
