#include "tools/wvds/man/man_page.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace wvds::tool {
namespace {

// roff escapes what the formatter would take for its own. Each '-' stays one that can be copied into a shell.
std::string roff(const std::string& text) {
  std::string out;
  bool is_line_start = true;
  for (const char c : text) {
    if (is_line_start && (c == '.' || c == '\'')) out += "\\&";
    is_line_start = c == '\n';
    switch (c) {
      case '\\': out += "\\e"; break;
      case '-': out += "\\-"; break;
      case '\'': out += "\\(aq"; break;
      case '`': out += "\\(ga"; break;
      case '^': out += "\\(ha"; break;
      case '~': out += "\\(ti"; break;
      default: out += c;
    }
  }
  return out;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string section(const std::string& title) { return ".SH " + title + "\n"; }

// paragraphs puts each sentence on a line of its own, as roff wants it; an empty line begins a paragraph.
std::string paragraphs(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += line.empty() ? ".PP\n" : roff(line) + "\n";
  return out;
}

std::string item(const std::string& head, const std::string& text) {
  return ".TP\n" + head + "\n" + (text.empty() ? "\\&\n" : paragraphs(text));
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

std::string program_words(const CommandInfo& program, const CommandInfo& command) {
  return command.path.empty() ? program.name : program.name + " " + command.path;
}

std::string synopsis(const CommandInfo& program, const CommandInfo& command) {
  std::string line = bold(program_words(program, command)) + " [" + italic("OPTIONS") + "]";
  for (const ArgumentInfo& argument : command.arguments) {
    line += argument.is_required ? " " + italic(argument.name) : " [" + italic(argument.name) + "]";
  }
  if (!command.commands.empty()) line += " " + italic("COMMAND") + " ...";
  return section("SYNOPSIS") + line + "\n";
}

std::string name_section(const CommandInfo& program, const CommandInfo& command) {
  std::string what = command.description.substr(0, command.description.find('\n'));
  while (what.ends_with('.')) what.pop_back();
  return section("NAME") + roff(man_page_name(program, command)) + " \\- " + roff(what) + "\n";
}

std::string arguments(const CommandInfo& command) {
  if (command.arguments.empty()) return "";
  std::string out = section("ARGUMENTS");
  for (const ArgumentInfo& argument : command.arguments) out += item(italic(argument.name), argument.description);
  return out;
}

std::string option_text(const OptionInfo& option) {
  std::string text = option.description;
  const bool has_choices = !option.choices.empty() && option.value != "USAGES";
  if (has_choices) text += "\nOne of " + joined(option.choices, ", ") + ".";
  if (!option.default_value.empty()) text += "\nThe default is " + option.default_value + ".";
  return text;
}

std::string options(const CommandInfo& program, const CommandInfo& command) {
  std::string out = section("OPTIONS");
  for (const OptionInfo& option : command.options) {
    std::vector<std::string> names;
    for (const std::string& name : option.names) names.push_back(bold(name));
    out += item(joined(names, ", ") + (option.value.empty() ? "" : " " + italic(option.value)), option_text(option));
  }
  if (command.path.empty()) return out;
  return out + ".PP\nThe options of " + bold(program.name) + "(1) may stand here too.\n";
}

std::string commands(const CommandInfo& program, const CommandInfo& command) {
  if (command.commands.empty()) return "";
  std::string out = section("COMMANDS");
  for (const CommandInfo& sub : command.commands) {
    out += item(bold(man_page_name(program, sub)) + "(1)", sub.description);
  }
  return out;
}

std::string json(const Prose& prose) {
  if (prose.json.empty()) return "";
  std::string out = section("\"JSON OUTPUT\"") + "With " + bold("--json") +
                    " one object is printed; a later version may add members.\n";
  for (const JsonField& field : prose.json) out += item(bold(field.name), field.meaning);
  return out;
}

std::string files(const Prose& prose) {
  if (prose.files.empty()) return "";
  std::string out = section("FILES");
  for (const Place& place : prose.files) out += item(italic(place.path), place.what);
  return out;
}

std::string examples(const Prose& prose) {
  if (prose.examples.empty()) return "";
  std::string out = section("EXAMPLES");
  for (size_t i = 0; i < prose.examples.size(); ++i) {
    if (i > 0) out += ".PP\n";
    out +=
        paragraphs(prose.examples[i].what) + ".PP\n.in +4n\n.EX\n" + roff(prose.examples[i].commands) + "\n.EE\n.in\n";
  }
  return out;
}

std::string see_also(const Prose& prose) {
  if (prose.see_also.empty()) return "";
  std::vector<std::string> pages;
  for (const std::string page : prose.see_also) {
    const size_t open = page.find('(');
    pages.push_back(bold(page.substr(0, open)) + page.substr(open));
  }
  return section("\"SEE ALSO\"") + joined(pages, ",\n") + "\n";
}

}  // namespace

std::string man_page_name(const CommandInfo& program, const CommandInfo& command) {
  std::string name = program_words(program, command);
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::string man_page(const CommandInfo& program, const CommandInfo& command, const Prose& prose, const Book& book) {
  const char* exit_status = prose.exit_status == nullptr ? book.exit_status : prose.exit_status;
  return ".TH " + roff(upper(man_page_name(program, command))) + " " + book.section + " " + book.date + " \"" +
         book.version + "\" \"WvdS Crypto Service\"\n" + name_section(program, command) + synopsis(program, command) +
         section("DESCRIPTION") + paragraphs(prose.description) + arguments(command) + options(program, command) +
         commands(program, command) + json(prose) + section("\"EXIT STATUS\"") + paragraphs(exit_status) +
         files(prose) + examples(prose) + see_also(prose);
}

}  // namespace wvds::tool
