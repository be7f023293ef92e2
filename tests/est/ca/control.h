#pragma once

#include <string>

#include "ca/authority.h"
#include "ca/listener.h"
#include "ca/server.h"
#include "ca/settings.h"
#include "ca/tls.h"

namespace wvds::est_ca {

// Control carries commands out. A command is a JSON object with any of these members, done in this order:
//  "set": part of the settings                    "clear_rules": true      "rules": [rules to add]
//  "roll_over": {"name": ..., "algorithm": ...}   "server_certificate": true (made anew by the settings)
//  "end_connections": true                        "listen": true or false
// The answer is {"ok": true} or {"error": sentence}.
class Control {
 public:
  Control(Authority& authority, Settings& settings, TlsServer& tls, Server& server, Listener& listener)
      : authority_(authority), settings_(settings), tls_(tls), server_(server), listener_(listener) {}

  std::string command(const std::string& line);

 private:
  void carry_out(const Json& command);

  Authority& authority_;
  Settings& settings_;
  TlsServer& tls_;
  Server& server_;
  Listener& listener_;
};

}  // namespace wvds::est_ca
