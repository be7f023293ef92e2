#include "tools/wvds/app.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "crypto/program_version.h"

namespace wvds::tool {
namespace {

constexpr const char* kAbout =
    "Uses the keys of the WvdS Crypto Service, which never leave it.\n\n"
    "KEY is a key's number or its label (label:TEXT where a label looks like a number).\n"
    "FILE may be - for standard input or output; -- ends the options.";

constexpr const char* kExits =
    "0 done; 1 the operation failed, or the signature is not valid;\n"
    "2 wrong usage; 3 no session with the service (not running, not reachable, or it does not serve this user).";

// What stands for an option's value in help, man pages and completion. CLI11 would say TEXT or UINT.
struct ValueName {
  std::string_view option;
  const char* name;
};
constexpr std::array kValueNames{
    ValueName{"--socket", "FILE"},     ValueName{"--timeout", "MS"},
    ValueName{"--key", "KEY"},         ValueName{"--output", "FILE"},
    ValueName{"--public", "FILE"},     ValueName{"--secret", "FILE"},
    ValueName{"--aad", "TEXT"},        ValueName{"--aad-file", "FILE"},
    ValueName{"--context", "TEXT"},    ValueName{"--wait", "SECONDS"},
    ValueName{"--seconds", "SECONDS"}, ValueName{"--config", "FILE"},
    ValueName{"--label", "TEXT"},      ValueName{"--version", "NUMBER"},
    ValueName{"--user", "USER"},       ValueName{"--operation", "OPERATION"},
    ValueName{"--mode", "MODE"},       ValueName{"--lifetime", "LIFETIME"},
    ValueName{"--format", "FORMAT"},   ValueName{"--usage", "USAGES"},
    ValueName{"--to", "KIND"},         ValueName{"--new-key-file", "FILE"},
    ValueName{"--out", "FILE"},        ValueName{"--new-passphrase-file", "FILE"},
    ValueName{"--from", "FILE"},       ValueName{"--passphrase-file", "FILE"},
    ValueName{"--new-file", "FILE"},
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as the commands
void name_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const bool takes_value = option->get_items_expected_max() != 0;
    if (option->get_positional()) option->type_name("");
    for (const ValueName& value : kValueNames) {
      const auto& names = option->get_lnames();
      const bool is_it = std::ranges::find(names, value.option.substr(2)) != names.end();
      if (takes_value && is_it) option->type_name(value.name);
    }
  }
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) name_values(*command);
}

const CLI::App& chosen_command(const CLI::App& app) {
  const CLI::App* command = &app;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

std::string full_name(const CLI::App& command) {
  std::string name = command.get_name();
  for (const CLI::App* parent = command.get_parent(); parent != nullptr; parent = parent->get_parent()) {
    name.insert(0, parent->get_name() + " ");
  }
  return name;
}

std::vector<std::string> option_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* app = &command; app != nullptr; app = app->get_parent()) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
      for (const std::string& name : option->get_snames()) names.push_back("-" + name);
    }
  }
  return names;
}

std::vector<std::string> command_names(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(sub->get_name());
  return names;
}

std::string advice(const std::string& word, const std::vector<std::string>& known) {
  return config::word_advice(word, {known.begin(), known.end()});
}

std::string explain_word(const CLI::App& app, const std::string& word) {
  const CLI::App& command = chosen_command(app);
  const std::string name = "\"" + full_name(command) + "\"";
  if (word.size() > 1 && word.front() == '-') {
    const std::string option = word.substr(0, word.find('='));
    return "\"" + option + "\" is no option of " + name + advice(option, option_names(command));
  }
  const auto commands = command_names(command);
  if (commands.empty()) return "\"" + word + "\" is one word more than " + name + " takes";
  return "\"" + word + "\" is no command of " + name + advice(word, commands);
}

}  // namespace

const char* about_text() { return kAbout; }
const char* exits_text() { return kExits; }

void add_all_commands(CLI::App& app, Tool& tool) {
  app.name("wvds");
  app.description(kAbout);
  app.require_subcommand(1);
  app.fallthrough();  // --socket may stand behind the command too
  app.footer(std::string("Exit status: ") + kExits);
  app.set_version_flag("--version", [] { return crypto::program_version("wvds", wvds_library_version()); });
  app.add_option("--socket", tool.service.socket,
                 "The service's socket (default: the library's; for the est commands est_service's)");
  app.add_option("--timeout", tool.service.timeout_ms, "Milliseconds to wait for the service")
      ->check(CLI::Range(1u, 3600000u))
      ->capture_default_str();
  add_status_command(app, tool);
  add_key_commands(app, tool);
  add_cipher_commands(app, tool);
  add_signature_commands(app, tool);
  add_kem_commands(app, tool);
  add_random_command(app, tool);
  add_bench_command(app, tool);
  add_doctor_command(app, tool);
  add_audit_commands(app, tool);
  add_store_commands(app, tool);
  add_est_commands(app, tool);
  add_completion_command(app, tool);
  name_values(app);
}

std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto left = app.remaining(true);
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  const bool is_about_words = code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError;
  if (is_about_words && !left.empty()) return explain_word(app, left.front());
  return error.what();
}

}  // namespace wvds::tool
