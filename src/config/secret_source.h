#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/section.h"

// Secrets that the configuration names but does not hold.
namespace wvds::config {

struct Vocabulary;

// SecretSource is where a secret is handed over: in a file, as a credential of the service manager, or typed at a
// terminal. At most one of the three.
struct SecretSource {
  std::string file;        // absolute path
  std::string credential;  // plain name
  bool prompt = false;

  bool is_set() const { return !file.empty() || !credential.empty() || prompt; }
  bool operator==(const SecretSource&) const = default;
};

// read_source takes NAME_file and NAME_credential.
void read_source(Section& section, const std::string& name, const Vocabulary& vocabulary, SecretSource& out);

// need_one notes a problem unless exactly one of the members is there.
void need_one(Section& section, const std::vector<std::string_view>& names);

// line_of is the line of a member, or of the section where the member is missing.
int line_of(Section& section, std::string_view name);

}  // namespace wvds::config
