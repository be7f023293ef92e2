#pragma once

#include <optional>
#include <string>

#include "config/service_config.h"
#include "tools/wvds/doctor/finding.h"
#include "tools/wvds/service.h"

// The parts of `wvds doctor`, in their order. Each adds what it finds, and what the later ones need.
namespace wvds::tool {

struct Examination {
  // asked for
  ServiceOptions service;
  std::string config_path;
  std::string user;  // name or number of the service's user; empty: found out

  // found
  Findings findings;
  std::optional<config::ServiceConfig> config;
  std::string socket_path;
  bool is_served = false;  // somebody accepts connections there
  std::optional<uint32_t> service_user;
  std::optional<uint32_t> service_process;  // while it runs and can be seen
  Session session;
};

// Daemon is what findings call a service.
struct Daemon {
  const char* check;  // of its socket
  const char* program;
  const char* setting;  // the socket in its configuration
};

// SocketPeer is the process behind a socket.
struct SocketPeer {
  uint32_t user = 0;
  uint32_t group = 0;
  uint32_t process = 0;
};

// look_at_socket finds out whether somebody accepts connections, and who, as far as that can be seen.
bool look_at_socket(Findings& findings, const Daemon& daemon, const std::string& path, std::optional<SocketPeer>& peer);

// Before the service is asked: the configuration, and the socket that it or the command line names.
void check_config(Examination& exam);
void check_socket(Examination& exam);

// find_service_user takes --user, the user of the running service, or the owner of the store.
void find_service_user(Examination& exam);

// Files, memory and clock of the machine.
void check_config_readable(Examination& exam);
void check_store(Examination& exam);
void check_protector(Examination& exam);
void check_tpm(Examination& exam);
void check_disk(Examination& exam);
void check_engines(Examination& exam);
void check_fips(Examination& exam);
void check_locked_memory(Examination& exam);
void check_clock(Examination& exam);

// What the running service says.
void check_session(Examination& exam);
void check_service(Examination& exam);
void check_keys(Examination& exam);

// run_as says who can see what this user can't.
std::string run_as(const Examination& exam);

}  // namespace wvds::tool
