#include "ca/control.h"

#include <stdexcept>

namespace wvds::est_ca {
namespace {

void check_names(const Json& command) {
  for (const auto& [name, value] : command.items()) {
    static const std::set<std::string> kNames = {
        "set", "clear_rules", "rules", "roll_over", "server_certificate", "end_connections", "listen"};
    if (!kNames.contains(name)) throw std::runtime_error("no command called " + name);
  }
}

}  // namespace

std::string Control::command(const std::string& line) {
  try {
    carry_out(Json::parse(line));
    return Json{{"ok", true}}.dump();
  } catch (const std::exception& error) {
    return Json{{"error", error.what()}}.dump();
  }
}

void Control::carry_out(const Json& command) {
  check_names(command);
  if (command.contains("set")) settings_.set(command.at("set"));
  if (command.value("clear_rules", false)) settings_.clear_rules();
  for (const Json& rule : command.value("rules", Json::array())) settings_.add_rule(rule);
  if (command.contains("roll_over")) {
    const Json& next = command.at("roll_over");
    authority_.roll_over(next.value("name", ""), next.value("algorithm", ""), settings_.time());
  }
  if (command.value("server_certificate", false)) tls_.renew_certificate();
  tls_.configure();  // what was set, and whom client certificates lead to
  if (command.value("end_connections", false)) server_.end_connections();
  if (command.contains("listen") && command.at("listen").get<bool>() != listener_.listening()) {
    listener_.listening() ? listener_.stop() : listener_.listen();
  }
}

}  // namespace wvds::est_ca
