#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

// A command line as data: what completion scripts and man pages are made from, so that neither can get out of date.
namespace wvds::tool {

struct OptionInfo {
  std::vector<std::string> names;    // as one writes them: "-o", "--output"
  std::string value;                 // what stands for its value ("FILE"); empty: it takes none
  std::vector<std::string> choices;  // all values, where there are only a few
  std::string description;
  std::string default_value;
};

struct ArgumentInfo {
  std::string name;  // "KEY"
  std::vector<std::string> choices;
  std::string description;
  bool is_required = false;
};

struct CommandInfo {
  std::string name;  // "list"
  std::string path;  // from the program on, without it: "key list"; empty for the program
  std::string description;
  std::vector<OptionInfo> options;
  std::vector<ArgumentInfo> arguments;  // in their order
  std::vector<CommandInfo> commands;
};

CommandInfo describe_commands(const CLI::App& app);

// all_commands lists a command, the ones under it, and so on.
std::vector<const CommandInfo*> all_commands(const CommandInfo& top);

}  // namespace wvds::tool
