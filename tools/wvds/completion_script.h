#pragma once

#include <string>

#include "tools/wvds/command_tree.h"

namespace wvds::tool {

// bash_completion and zsh_completion are scripts that complete the words of `program`. They know its commands and
// options, and ask "wvds completion keys" for the keys.
std::string bash_completion(const CommandInfo& program);
std::string zsh_completion(const CommandInfo& program);

}  // namespace wvds::tool
