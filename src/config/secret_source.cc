#include "config/secret_source.h"

#include <algorithm>

#include "config/service_config.h"

namespace wvds::config {
namespace {

bool is_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos;
}

// read_credential takes the plain name that the service manager gave a credential.
void read_credential(Section& section, std::string_view name, const Vocabulary& vocabulary, std::string& out) {
  if (!section.has(name)) return;
  section.text(name, out);
  if (!vocabulary.credentials) {
    section.problem(line_of(section, name), name, "is not available on this system, which hands over no credentials");
  } else if (!is_file_name(out)) {
    section.problem(line_of(section, name), name, "must be the name of a credential, not \"" + out + "\"");
  }
}

}  // namespace

int line_of(Section& section, std::string_view name) {
  const JsonValue* value = section.find(name);
  return value == nullptr ? section.line() : value->line;
}

void read_source(Section& section, const std::string& name, const Vocabulary& vocabulary, SecretSource& out) {
  section.absolute_path(name + "_file", out.file);
  read_credential(section, name + "_credential", vocabulary, out.credential);
}

void need_one(Section& section, const std::vector<std::string_view>& names) {
  const auto there = std::ranges::count_if(names, [&](std::string_view name) { return section.has(name); });
  if (there == 1) return;
  std::string list;
  for (const std::string_view name : names) {
    if (!list.empty()) list += name == names.back() ? " or " : ", ";
    list += "\"" + std::string(name) + "\"";
  }
  section.problem(section.line(), "", "needs exactly one of " + list);
}

}  // namespace wvds::config
