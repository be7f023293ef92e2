// The command-line tool of the crypto service. Each command family has a file of its own; this one only wires.
#include <sstream>

#include "tools/wvds/commands.h"
#include "tools/wvds/files.h"

namespace {

using namespace wvds::tool;

constexpr const char* kAbout =
    "Uses the keys of the WvdS Crypto Service, which never leave it.\n\n"
    "KEY is a key's number or its label (label:TEXT where a label looks like a number).\n"
    "FILE may be - for standard input or output.";

constexpr const char* kExits =
    "Exit status: 0 done; 1 the operation failed, or the signature is not valid;\n"
    "2 wrong usage; 3 no session with the service (not running, not reachable, or it does not serve this user).";

void add_commands(CLI::App& app, Tool& tool) {
  app.require_subcommand(1);
  app.fallthrough();  // --socket may stand behind the command too
  app.footer(kExits);
  app.set_version_flag("--version", std::string("wvds ") + wvds_library_version());
  app.add_option("--socket", tool.service.socket, "The service's socket (default: the library's)");
  app.add_option("--timeout", tool.service.timeout_ms, "Milliseconds to wait for the service")
      ->check(CLI::Range(1u, 3600000u))
      ->capture_default_str();
  add_status_command(app, tool);
  add_key_commands(app, tool);
  add_cipher_commands(app, tool);
  add_signature_commands(app, tool);
  add_kem_commands(app, tool);
  add_random_command(app, tool);
}

int end_with(const Failure& failure) {
  complain(failure.message);
  return static_cast<int>(failure.exit);
}

// end_parsing answers --help and --version, and complains about everything else.
int end_parsing(const CLI::App& app, const CLI::ParseError& result) {
  if (result.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success)) {
    return end_with({Exit::kUsage, std::string(result.what()) + "; \"wvds --help\" tells more"});
  }
  std::ostringstream text;
  app.exit(result, text, text);
  const auto written = write_text(text.str());
  return written ? 0 : end_with(written.error());
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  CLI::App app(kAbout, "wvds");
  Tool tool;
  add_commands(app, tool);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& result) {
    return end_parsing(app, result);
  }
  const auto done = tool.action();
  return done ? 0 : end_with(done.error());
}
