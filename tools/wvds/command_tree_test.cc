#include "tools/wvds/command_tree.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "tools/wvds/completion_script.h"
#include "tools/wvds/man/man_page.h"

namespace wvds::tool {
namespace {

// Program is a small command line with one of everything.
struct Program {
  Program() {
    app.name("prog");
    app.description("Does something.");
    app.add_option("--socket", text, "Where")->type_name("FILE");
    CLI::App* group = app.add_subcommand("group", "Group");
    CLI::App* command = group->add_subcommand("do", "Do 'it'");
    command->add_option("KEY", text, "Which")->required();
    command->add_option("FILE", text, "What");
    command->add_option("-m,--mode", text, "How")->check(CLI::IsMember({"fast", "slow"}))->capture_default_str();
    command->add_flag("--force", flag, "Even so");
  }
  CLI::App app;
  std::string text = "fast";
  bool flag = false;
};

}  // namespace

TEST(CommandTree, HasEverythingOfTheCommandLine) {
  const Program program;
  const CommandInfo info = describe_commands(program.app);
  const auto all = all_commands(info);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0]->path, "");
  EXPECT_EQ(all[2]->path, "group do");
  ASSERT_EQ(all[2]->arguments.size(), 2u);
  EXPECT_EQ(all[2]->arguments[0].name, "KEY");
  EXPECT_TRUE(all[2]->arguments[0].is_required);
  EXPECT_FALSE(all[2]->arguments[1].is_required);
  const OptionInfo& mode = all[2]->options[1];
  EXPECT_EQ(mode.names, (std::vector<std::string>{"-m", "--mode"}));
  EXPECT_EQ(mode.choices, (std::vector<std::string>{"fast", "slow"}));
  EXPECT_EQ(mode.default_value, "fast");
  EXPECT_EQ(all[2]->options[2].value, "") << "a flag takes none";
}

TEST(CompletionScript, KnowsWhatBelongsWhere) {
  const Program program;
  const CommandInfo info = describe_commands(program.app);
  for (const std::string& script : {bash_completion(info), zsh_completion(info)}) {
    EXPECT_NE(script.find("'group do 1') printf '%s\\n' 'KEY'"), std::string::npos) << script;
    EXPECT_NE(script.find("'group do 2') printf '%s\\n' 'FILE'"), std::string::npos);
    EXPECT_NE(script.find("'group do --mode') printf '%s\\n' ':fast slow'"), std::string::npos);
    EXPECT_NE(script.find("'group do --socket') printf '%s\\n' 'FILE'"), std::string::npos) << "from above";
    EXPECT_EQ(script.find("'group do --force')"), std::string::npos) << "a flag takes no value";
  }
}

TEST(ManPage, EscapesWhatTheFormatterWouldTakeForItsOwn) {
  const Program program;
  const CommandInfo info = describe_commands(program.app);
  const Prose prose{"group do",
                    ".first 'line'\nwith a \\ and `x`",
                    {{"Like this:", "prog group do k --mode fast"}},
                    {{"a", "member"}},
                    {{"/etc/x", "file"}},
                    nullptr,
                    {"prog(1)"}};
  const std::string page = man_page(info, *all_commands(info)[2], prose, {"1", "prog 1.0", "2026-01-02", "0 done"});
  EXPECT_TRUE(page.starts_with(".TH PROG\\-GROUP\\-DO 1 2026-01-02 \"prog 1.0\" \"WvdS Crypto Service\"\n")) << page;
  EXPECT_NE(page.find("prog\\-group\\-do \\- Do \\(aqit\\(aq\n"), std::string::npos) << page;
  EXPECT_NE(page.find("\n\\&.first \\(aqline\\(aq\nwith a \\e and \\(gax\\(ga\n"), std::string::npos) << page;
  EXPECT_NE(page.find("\\fBprog group do\\fR [\\fIOPTIONS\\fR] \\fIKEY\\fR [\\fIFILE\\fR]\n"), std::string::npos)
      << page;
  EXPECT_NE(page.find(".EX\nprog group do k \\-\\-mode fast\n.EE\n"), std::string::npos) << page;
}

}  // namespace wvds::tool
