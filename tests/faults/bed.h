#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "faults/fault_controls.h"
#include "support/daemon.h"

// What the tests in this folder have in common.
namespace wvds::test {

// is_long tells whether the long form was asked for (WVDS_LONG). rounds is the number of one form or the other;
// WVDS_LONG=300 asks for 300.
bool is_long();
int rounds(int in_short, int in_long);

// new_random is seeded anew each time, or by WVDS_SEED; the seed is printed.
std::mt19937_64 new_random();

// moment_within waits for some instant of the next `longest`, whatever happens meanwhile.
void moment_within(std::mt19937_64& random, std::chrono::microseconds longest);

// run_tool runs the wvds tool to its end.
Outcome run_tool(std::vector<std::string> arguments);

// expect_whole_store has `wvds store verify` look at what a stopped service left, expect_whole_log `wvds audit verify`
// at the log of a running one. A service that was killed may not have come to take the keys that it deleted just before
// out of its index: those that `was_deleted` says may be listed without a record.
void expect_whole_store(const Daemon& daemon, const std::function<bool(uint32_t key)>& was_deleted);
void expect_whole_log(const Daemon& daemon);

// FaultyDaemon is a service some of whose calls of the C library fail when the test says so.
class FaultyDaemon {
 public:
  explicit FaultyDaemon(DaemonOptions options = {});
  ~FaultyDaemon();
  FaultyDaemon(const FaultyDaemon&) = delete;
  FaultyDaemon& operator=(const FaultyDaemon&) = delete;

  Daemon& operator*() { return *daemon_; }
  Daemon* operator->() { return daemon_.get(); }

  // fail lets calls of the kind fail with errno `error`: `count` of them, after the next `skip`.
  void fail(wvds_fault_kind kind, int error, int64_t skip = 0, int64_t count = INT64_MAX);

  // heal ends all that fail() began and returns how many calls have failed since.
  int64_t heal();
  int64_t failed() const;

  void set_clock_offset(std::chrono::seconds offset);

 private:
  std::string file_;
  wvds_fault_controls* controls_ = nullptr;
  std::unique_ptr<Daemon> daemon_;
};

// Limit lowers a limit of a running process, as its user may, and gives it back.
class Limit {
 public:
  Limit(pid_t pid, __rlimit_resource resource, rlim_t value);
  ~Limit();
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  const pid_t pid_;
  const __rlimit_resource resource_;
  rlimit before_{};
};

// have_own_mounts gives this process mounts of its own, which end with it; false where that is not allowed.
bool have_own_mounts();

// The C library's calls, as far as the tests need them: each returns the status.
using Octets = std::vector<uint8_t>;
wvds_status generate(wvds_session* session, uint32_t& key, wvds_algorithm algorithm = WVDS_AES_256_GCM,
                     wvds_lifetime lifetime = WVDS_LIFETIME_PERSISTENT);
wvds_status encrypt(wvds_session* session, uint32_t key, const Octets& plaintext, Octets& sealed);
wvds_status decrypt(wvds_session* session, uint32_t key, const Octets& sealed, Octets& plaintext);
wvds_status sign(wvds_session* session, uint32_t key, const Octets& message, Octets& signature);
wvds_status verify(wvds_session* session, uint32_t key, const Octets& message, const Octets& signature);
wvds_status rotate(wvds_session* session, uint32_t key);

}  // namespace wvds::test
