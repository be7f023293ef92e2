#pragma once

#include <string>
#include <vector>

#include "tools/wvds/command_tree.h"

// Man pages from the command line's own description and a little prose.
namespace wvds::tool {

// Example is a sentence and the commands that do it, which a test runs.
struct Example {
  const char* what;
  const char* commands;
};

// JsonField is a member of what --json prints. "a.b" is b in a, "a[].b" is b in each element of a.
struct JsonField {
  const char* name;
  const char* meaning;
};

struct Place {
  const char* path;
  const char* what;
};

// Prose is what the command line's description does not say. Paragraphs are apart by an empty line.
struct Prose {
  const char* path;  // of the command
  const char* description;
  std::vector<Example> examples;
  std::vector<JsonField> json;
  std::vector<Place> files;
  const char* exit_status;  // null: that of the tool
  std::vector<const char*> see_also;
};

// Book is what all pages of one program share.
struct Book {
  std::string section;  // "1"
  std::string version;
  std::string date;
  const char* exit_status;
};

// man_page_name is the page's name without its section: "wvds-key-list".
std::string man_page_name(const CommandInfo& program, const CommandInfo& command);

// man_page writes the page of a command for the man macros.
std::string man_page(const CommandInfo& program, const CommandInfo& command, const Prose& prose, const Book& book);

// tool_prose has the prose of each command by its path, null for an unknown one; the others are the services'.
const Prose* tool_prose(const std::string& path);
const Prose& service_prose();
const Prose& est_service_prose();

}  // namespace wvds::tool
