#include "tools/wvds/commands.h"
#include "tools/wvds/completion_script.h"
#include "tools/wvds/est/est_service.h"

// completion
namespace wvds::tool {
namespace {

constexpr size_t kMostKeys = 1000;  // more is no choice any more

struct CompletionOptions {
  std::string what;
  const CLI::App* program = nullptr;
};

// A label that the command line would take for something else gets its prefix.
std::string label_word(const std::string& label) {
  const bool is_number = label.find_first_not_of("0123456789") == std::string::npos;
  return is_number || label.starts_with("label:") || label.starts_with('-') ? "label:" + label : label;
}

Outcome<std::string> key_words(const Tool& tool) {
  TOOL_ASSIGN(session, connect(tool.service));
  TOOL_ASSIGN(keys, list_keys(session, kMostKeys));
  std::string text;
  for (const wvds_key_entry& key : keys) {
    text += std::to_string(key.key_id) + "\n";
    if (key.label[0] != '\0') text += label_word(key.label) + "\n";
  }
  return text;
}

Outcome<std::string> certificate_words(const Tool& tool) {
  TOOL_ASSIGN(session, connect_est(tool));
  TOOL_ASSIGN(state, ask_est(session, tool.service.timeout_ms));
  std::string text;
  for (const EstCertificate& certificate : certificates_of(*state)) text += std::string(certificate.name) + "\n";
  return text;
}

Outcome<> run_completion(const Tool& tool, const CompletionOptions& options) {
  const CommandInfo program = describe_commands(*options.program);
  if (options.what == "bash") return write_text(bash_completion(program));
  if (options.what == "zsh") return write_text(zsh_completion(program));
  TOOL_ASSIGN(words, options.what == "keys" ? key_words(tool) : certificate_words(tool));
  return write_text(words);
}

}  // namespace

void add_completion_command(CLI::App& app, Tool& tool) {
  auto* command = app.add_subcommand("completion", "Print a script that completes this program's words in a shell");
  auto options = std::make_shared<CompletionOptions>();
  options->program = &app;
  command
      ->add_option("SHELL", options->what,
                   "For which shell; keys and certificates print the names that the scripts ask for")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "keys", "certificates"}));
  when_chosen(command, tool, options, run_completion);
}

}  // namespace wvds::tool
