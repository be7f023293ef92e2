#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace wvds::est_service {

struct CommandLine {
  std::string config_path = "/etc/wvds/config.json";
  bool check_only = false;
};

// describe_command_line fills `app` with the options of wvds_est_service; its man page is made from them too. `out`
// must outlive it.
void describe_command_line(CLI::App& app, CommandLine& out);

}  // namespace wvds::est_service
