// The command-line tool of the crypto service. Each command family has a file of its own; this one only wires.
#include <sstream>

#include "keystore/hsm/linux/helper_main.h"
#include "tools/wvds/app.h"
#include "tools/wvds/files.h"

namespace {

using namespace wvds::tool;

int end_with(const Failure& failure) {
  complain(failure.message);
  return static_cast<int>(failure.exit);
}

// end_parsing answers --help and --version, and complains about everything else.
int end_parsing(const CLI::App& app, const CLI::ParseError& result) {
  if (result.get_exit_code() != static_cast<int>(CLI::ExitCodes::Success)) {
    return end_with({Exit::kUsage, explain(app, result) + "; \"wvds --help\" tells more"});
  }
  std::ostringstream text;
  app.exit(result, text, text);
  const auto written = write_text(text.str());
  return written ? 0 : end_with(written.error());
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what nobody catches ends the program
int main(int argc, char** argv) {
  if (const auto code = wvds::keystore::hsm::run_as_helper(argc, argv)) return *code;
  open_standard_streams();
  CLI::App app;
  Tool tool;
  add_all_commands(app, tool);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& result) {
    return end_parsing(app, result);
  }
  const auto done = tool.action();
  return done ? 0 : end_with(done.error());
}
