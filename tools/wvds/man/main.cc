// Writes the man pages of the tool and of the services into a folder.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>

#include "est_service/linux/command_line.h"
#include "service/linux/command_line.h"
#include "tools/wvds/app.h"
#include "tools/wvds/man/man_page.h"

namespace {

using namespace wvds::tool;

bool write_page(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return true;
  std::fprintf(stderr, "%s can't be written\n", path.c_str());
  return false;
}

// A command without prose fails the build: its page would say nothing.
bool write_tool_pages(const std::string& folder, const Book& book) {
  CLI::App app;
  Tool tool;
  add_all_commands(app, tool);
  const CommandInfo program = describe_commands(app);
  for (const CommandInfo* command : all_commands(program)) {
    const Prose* prose = tool_prose(command->path);
    if (prose == nullptr) {
      std::fprintf(stderr, "tools/wvds/man/ has no prose for \"%s\"\n", command->path.c_str());
      return false;
    }
    const std::string path = folder + "/" + man_page_name(program, *command) + ".1";
    if (!write_page(path, man_page(program, *command, *prose, book))) return false;
  }
  return true;
}

bool write_service_page(const std::string& folder, const CLI::App& app, const Prose& prose, Book book) {
  const CommandInfo program = describe_commands(app);
  book.section = "8";
  return write_page(folder + "/" + program.name + ".8", man_page(program, program, prose, book));
}

bool write_service_pages(const std::string& folder, const Book& book) {
  CLI::App crypto, est;
  wvds::service::CommandLine crypto_line;
  wvds::est_service::CommandLine est_line;
  wvds::service::describe_command_line(crypto, crypto_line);
  wvds::est_service::describe_command_line(est, est_line);
  return write_service_page(folder, crypto, service_prose(), book) &&
         write_service_page(folder, est, est_service_prose(), book);
}

}  // namespace

// NOLINTNEXTLINE(bugprone-exception-escape): what nobody catches ends the program
int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: wvds_man_pages FOLDER DATE\n", stderr);
    return 2;
  }
  const Book book{"1", std::string("wvds ") + wvds_library_version(), argv[2], exits_text()};
  return write_tool_pages(argv[1], book) && write_service_pages(argv[1], book) ? 0 : 1;
}
