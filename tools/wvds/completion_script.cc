#include "tools/wvds/completion_script.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace wvds::tool {
namespace {

// Both shells read the tables: functions whose first argument is a command ("key list", or nothing).
constexpr const char* kTablesAbout =
    "# _wvds_commands COMMAND: the commands under it. _wvds_options COMMAND: its options.\n"
    "# _wvds_value COMMAND OPTION, _wvds_argument COMMAND NUMBER: what belongs there: KEY, NAME, FILE, ANY, :word "
    "word...,\n"
    "# or ,word word... for a list with commas. Nothing for an option without a value.\n";

constexpr const char* kBashEngine = R"sh(_wvds() {
  local word=${COMP_WORDS[COMP_CWORD]} command= option= socket= rest= kind= known= w i count=1
  local IFS=$' \t\n'
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    w=${COMP_WORDS[i]}
    if [[ -n $option && $w == '=' ]]; then
      continue
    elif [[ -n $option ]]; then
      [[ $option != --socket ]] || socket=$w
      option=
    elif [[ -z $rest && $w == -- ]]; then
      rest=yes
    elif [[ -z $rest && $w == -?* ]]; then
      [[ -z $(_wvds_value "$command" "$w") ]] || option=$w
    elif [[ " $(_wvds_commands "$command") " == *" $w "* ]]; then
      command=${command:+$command }$w
    else
      count=$((count + 1))
    fi
  done
  [[ $word != '=' ]] || word=
  known=$(_wvds_commands "$command")
  if [[ -n $option ]]; then
    kind=$(_wvds_value "$command" "$option")
  elif [[ -z $rest && $word == -* ]]; then
    kind=":$(_wvds_options "$command")"
  elif [[ -n $known ]]; then
    kind=":$known"
  else
    kind=$(_wvds_argument "$command" "$count")
  fi
  case $kind in
    :*) mapfile -t COMPREPLY < <(compgen -W "${kind#:}" -- "$word") ;;
    ,*)
      w=
      [[ $word != *,* ]] || w=${word%,*},
      mapfile -t COMPREPLY < <(compgen -P "$w" -W "${kind#,}" -- "${word##*,}")
      compopt -o nospace 2>/dev/null
      ;;
    FILE)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
    KEY | NAME)
      [[ $kind == KEY ]] && w=keys || w=certificates
      while IFS= read -r w; do
        [[ $w != "$word"* ]] || COMPREPLY+=("$(printf '%q' "$w")")
      done < <("${COMP_WORDS[0]}" ${socket:+--socket "$socket"} --timeout 500 completion "$w" 2>/dev/null)
      ;;
  esac
  return 0
}
complete -F _wvds wvds
)sh";

constexpr const char* kZshEngine = R"sh(_wvds() {
  emulate -L zsh
  local word=${(Q)words[CURRENT]} command= option= socket= rest= kind= known= w
  local -a found
  integer i count=1
  for ((i = 2; i < CURRENT; i++)); do
    w=${(Q)words[i]}
    if [[ -n $option ]]; then
      [[ $option != --socket ]] || socket=$w
      option=
    elif [[ -z $rest && $w == -- ]]; then
      rest=yes
    elif [[ -z $rest && $w == --*=* ]]; then
      [[ $w != --socket=* ]] || socket=${w#*=}
    elif [[ -z $rest && $w == -?* ]]; then
      [[ -z $(_wvds_value "$command" "$w") ]] || option=$w
    elif [[ " $(_wvds_commands "$command") " == *" $w "* ]]; then
      command=${command:+$command }$w
    else
      count=$((count + 1))
    fi
  done
  known=$(_wvds_commands "$command")
  if [[ -n $option ]]; then
    kind=$(_wvds_value "$command" "$option")
  elif [[ -z $rest && $word == --*=* ]]; then
    kind=$(_wvds_value "$command" "${word%%=*}")
    compset -P '*='
  elif [[ -z $rest && $word == -* ]]; then
    kind=":$(_wvds_options "$command")"
  elif [[ -n $known ]]; then
    kind=":$known"
  else
    kind=$(_wvds_argument "$command" "$count")
  fi
  case $kind in
    :*) found=(${=kind#:}); compadd -- $found ;;
    ,*) found=(${=kind#,}); compset -P '*,'; compadd -S '' -- $found ;;
    FILE) _files ;;
    KEY | NAME)
      [[ $kind == KEY ]] && w=keys || w=certificates
      found=(${(f)"$("${(Q)words[1]}" ${socket:+--socket} ${socket:+"$socket"} --timeout 500 completion $w 2>/dev/null)"})
      compadd -- $found
      ;;
  esac
}
if [[ ${funcstack[1]-} == _wvds ]]; then _wvds "$@"; else compdef _wvds wvds; fi
)sh";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// kind_of says what completes a value; `name` is what stands for it in the help.
std::string kind_of(std::string_view name, const std::vector<std::string>& choices) {
  constexpr std::array<std::string_view, 2> kFiles{"FILE", "SIGNATURE"};
  if (name == "USAGES") return "," + joined(choices);
  if (!choices.empty()) return ":" + joined(choices);
  if (name == "KEY" || name == "NAME") return std::string(name);
  return std::ranges::find(kFiles, name) != kFiles.end() ? "FILE" : "ANY";
}

// Case writes one "pattern) printf" line of a table; nothing for an empty text.
std::string case_line(const std::string& pattern, const std::string& text) {
  if (text.empty()) return "";
  return "    '" + pattern + "') printf '%s\\n' '" + text + "' ;;\n";
}

std::string function(const std::string& name, const std::string& subject, const std::string& cases) {
  return name + "() {\n  case \"" + subject + "\" in\n" + cases + "  esac\n}\n";
}

// A command takes the options of those above it too.
std::vector<OptionInfo> options_of(const CommandInfo& program, const CommandInfo& command) {
  std::vector<OptionInfo> options;
  for (const CommandInfo* above : all_commands(program)) {
    const bool is_above =
        above->path.empty() || command.path == above->path || command.path.starts_with(above->path + " ");
    if (!is_above) continue;
    for (const OptionInfo& option : above->options) {
      const bool is_known = std::ranges::find(options, option.names, &OptionInfo::names) != options.end();
      if (!is_known) options.push_back(option);
    }
  }
  return options;
}

struct Tables {
  std::string commands, options, values, arguments;
};

void add_options(Tables& tables, const CommandInfo& program, const CommandInfo& command) {
  std::vector<std::string> names;
  for (const OptionInfo& option : options_of(program, command)) {
    names.insert(names.end(), option.names.begin(), option.names.end());
    if (option.value.empty()) continue;
    for (const std::string& name : option.names) {
      tables.values += case_line(command.path + " " + name, kind_of(option.value, option.choices));
    }
  }
  tables.options += case_line(command.path, joined(names));
}

void add_command(Tables& tables, const CommandInfo& program, const CommandInfo& command) {
  std::vector<std::string> names;
  for (const CommandInfo& sub : command.commands) names.push_back(sub.name);
  tables.commands += case_line(command.path, joined(names));
  add_options(tables, program, command);
  for (size_t i = 0; i < command.arguments.size(); ++i) {
    const ArgumentInfo& argument = command.arguments[i];
    tables.arguments += case_line(command.path + " " + std::to_string(i + 1), kind_of(argument.name, argument.choices));
  }
}

std::string tables(const CommandInfo& program) {
  Tables tables;
  for (const CommandInfo* command : all_commands(program)) add_command(tables, program, *command);
  return kTablesAbout + function("_wvds_commands", "$1", tables.commands) +
         function("_wvds_options", "$1", tables.options) + function("_wvds_value", "$1 $2", tables.values) +
         function("_wvds_argument", "$1 $2", tables.arguments);
}

}  // namespace

std::string bash_completion(const CommandInfo& program) {
  return "# Completion of wvds for bash, as \"wvds completion bash\" prints it.\n" + tables(program) + kBashEngine;
}

std::string zsh_completion(const CommandInfo& program) {
  return "#compdef wvds\n# Completion of wvds for zsh, as \"wvds completion zsh\" prints it.\n" + tables(program) +
         kZshEngine;
}

}  // namespace wvds::tool
