#include "config/socket_section.h"

namespace wvds::config {
namespace {

// read_file_mode takes the text form that chmod takes: JSON has no octal numbers.
void read_file_mode(Section& section, std::string_view name, uint32_t& out) {
  std::string text;
  section.text(name, text);
  if (text.empty()) return;
  const bool octal = text.size() <= 4 && text.find_first_not_of("01234567") == std::string::npos;
  const uint32_t mode = octal ? static_cast<uint32_t>(std::stoul(text, nullptr, 8)) : UINT32_MAX;
  if (mode > 0777) {
    return section.problem(section.find(name)->line, name,
                           "must be an octal mode such as \"0660\", not \"" + text + "\"");
  }
  out = mode;
}

}  // namespace

void read_socket(Section& section, Socket& out) {
  constexpr size_t kLongestPath = 107;  // of a Unix socket's address
  section.absolute_path("path", out.path);
  if (out.path.size() > kLongestPath) {
    section.problem(section.find("path")->line, "path", "must be at most 107 bytes, as a Unix socket's address is");
  }
  read_file_mode(section, "mode", out.mode);
}

}  // namespace wvds::config
