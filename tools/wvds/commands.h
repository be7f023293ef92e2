#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "tools/wvds/files.h"
#include "tools/wvds/outcome.h"
#include "tools/wvds/service.h"

// One function a command family: it adds the family's commands and options. Parsing only notes in `Tool::action` what
// is to be done; main does it afterwards.
namespace wvds::tool {

struct Tool {
  ServiceOptions service;
  std::function<Outcome<>()> action;
};

// when_chosen makes run(tool, options) the action of a command. The options live as long as that.
template <class Options>
void when_chosen(CLI::App* command, Tool& tool, const std::shared_ptr<Options>& options,
                 Outcome<> (*run)(const Tool&, const Options&)) {
  command->callback([&tool, options, run] { tool.action = [&tool, options, run] { return run(tool, *options); }; });
}

// add_output adds -o/--output, and --force where the output is secret.
inline void add_output(CLI::App* command, Output& output, bool is_secret, const std::string& what) {
  output.is_secret = is_secret;
  command->add_option("-o,--output", output.path, "Where " + what + " goes; - is standard output (the default)");
  if (is_secret) command->add_flag("--force", output.force, "Overwrite an existing file");
}

// add_json adds --json, for commands that print data that is not the bytes asked for.
inline void add_json(CLI::App* command, bool& as_json) {
  command->add_flag("--json", as_json, "Print one JSON object, for programs");
}

void add_status_command(CLI::App& app, Tool& tool);
void add_random_command(CLI::App& app, Tool& tool);
void add_bench_command(CLI::App& app, Tool& tool);
void add_audit_commands(CLI::App& app, Tool& tool);
void add_doctor_command(CLI::App& app, Tool& tool);
void add_completion_command(CLI::App& app, Tool& tool);
void add_store_commands(CLI::App& app, Tool& tool);
void add_est_commands(CLI::App& app, Tool& tool);
void add_key_commands(CLI::App& app, Tool& tool);
void add_cipher_commands(CLI::App& app, Tool& tool);
void add_signature_commands(CLI::App& app, Tool& tool);
void add_kem_commands(CLI::App& app, Tool& tool);

// The parts of add_key_commands.
void add_key_making_commands(CLI::App& key, Tool& tool);
void add_key_showing_commands(CLI::App& key, Tool& tool);
void add_key_ending_commands(CLI::App& key, Tool& tool);

}  // namespace wvds::tool
