#pragma once

#include <ostream>
#include <span>
#include <string>

#include "channel/linux/testing/child_process.h"
#include "support/daemon.h"

namespace wvds::test {

// kAttacker is the user that attackers are: no other client's.
inline constexpr uint32_t kAttacker = 54'321;

inline constexpr const char* kNeedsRoot = "NOT RUN: needs root, for a client of another user";

// attacker is an entry of "clients" for it, who may do everything, with the service's own limits or with `members` of
// the entry that say otherwise.
std::string attacker(const std::string& members = "");

inline constexpr const char* kAsOftenAsItLikes = R"("rate_limit": {"requests_per_second": 0})";

// become_attacker makes this process one of that user. For root only.
void become_attacker();

// Attack goes on until its process is killed, and tells when it is in full swing. A breach ends the process with a
// failure.
struct Attack {
  const char* name;
  void (*run)(const Daemon& daemon, channel::testing::Pipe& pipe);

  friend void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }
};

std::span<const Attack> attacks();

// compute uses a processor for itself and leaves the service alone: what any program may do. compute_twice uses two.
void compute(const Daemon& daemon, channel::testing::Pipe& pipe);
void compute_twice(const Daemon& daemon, channel::testing::Pipe& pipe);

}  // namespace wvds::test
