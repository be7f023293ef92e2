#pragma once

#include <string>

#include "tools/wvds/commands.h"

// The command line as a whole: what the program parses, and what completion and man pages are made from.
namespace wvds::tool {

// add_all_commands fills the application named "wvds". `tool` must outlive it.
void add_all_commands(CLI::App& app, Tool& tool);

// explain says in one line why a command line was refused: with a suggestion where a word is misspelled.
std::string explain(const CLI::App& app, const CLI::ParseError& error);

// about_text and exits_text stand in --help and in the man pages.
const char* about_text();
const char* exits_text();

}  // namespace wvds::tool
