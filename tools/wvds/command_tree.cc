#include "tools/wvds/command_tree.h"

#include <CLI/CLI.hpp>

#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

// CLI11 shows the members of a set as "TEXT:{a,b}".
std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const size_t open = type.find('{');
  const size_t close = type.find('}', open);
  if (open == std::string::npos || close == std::string::npos) return {};
  return CLI::detail::split(type.substr(open + 1, close - open - 1), ',');
}

OptionInfo option_info(const CLI::Option& option) {
  OptionInfo info;
  for (const std::string& name : option.get_snames()) info.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.names.push_back("--" + name);
  info.description = option.get_description();
  if (option.get_items_expected_max() == 0) return info;
  const std::string type = option.get_type_name();
  info.value = type.substr(0, type.find(':'));
  info.choices = choices_of(option);
  if (info.value == "USAGES") info.choices = usage_words(UINT32_MAX);
  info.default_value = option.get_default_str();
  return info;
}

ArgumentInfo argument_info(const CLI::Option& option) {
  ArgumentInfo info{option.get_name(true), choices_of(option), option.get_description(), option.get_required()};
  if (info.name == "ALGORITHM") info.choices = algorithm_words();
  return info;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the commands
CommandInfo command_info(const CLI::App& app, const std::string& path) {
  CommandInfo info;
  info.name = app.get_name();
  info.path = path;
  info.description = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      info.arguments.push_back(argument_info(*option));
    } else {
      info.options.push_back(option_info(*option));
    }
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    info.commands.push_back(
        command_info(*command, path.empty() ? command->get_name() : path + " " + command->get_name()));
  }
  return info;
}

// NOLINTNEXTLINE(misc-no-recursion): likewise
void collect(const CommandInfo& command, std::vector<const CommandInfo*>& out) {
  out.push_back(&command);
  for (const CommandInfo& sub : command.commands) collect(sub, out);
}

}  // namespace

CommandInfo describe_commands(const CLI::App& app) { return command_info(app, ""); }

std::vector<const CommandInfo*> all_commands(const CommandInfo& top) {
  std::vector<const CommandInfo*> all;
  collect(top, all);
  return all;
}

}  // namespace wvds::tool
