#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/linux/unique_fd.h"
#include "wvds_crypto.h"

// The real service as a process of its own, for tests. POSIX only.
namespace wvds::test {

// kWatchdog bounds every wait of a test; nothing is ever measured against it.
inline constexpr std::chrono::seconds kWatchdog{60};

// reached waits until `condition` holds, looking again and again; false when the watchdog bit. For what nothing
// announces.
bool reached(const std::function<bool()>& condition);

// all_operations is config.json's text of a list of every operation.
std::string all_operations();

// this_user_may_all is a client entry for the user that runs the test, who may do everything, without a rate limit.
std::string this_user_may_all(const std::string& name = "tester");

// ResourceLimit is one of setrlimit(2) for the service alone.
struct ResourceLimit {
  int resource = 0;
  unsigned long value = 0;
};

// DaemonOptions is what differs from a service that the user who runs the test may do everything with, FIPS required.
struct DaemonOptions {
  std::string fips{};                         // JSON of the section "fips"; empty: required
  std::string clients = this_user_may_all();  // JSON of the entries of "clients"
  std::string sections{};                     // further members of the config, each followed by a comma
  std::vector<std::string> environment{};     // "NAME=value", besides what the test has itself
  int activation_socket = -1;                 // handed over as a service manager does; stays the caller's
  std::vector<ResourceLimit> limits{};        // soft ones; the hard ones stay
  std::string protector{};                    // JSON of the members "protector" and its section; empty: a key file
};

// Outcome is how a program ended.
struct Outcome {
  int exit_code = -1;  // -1: by a signal
  std::string output;  // standard output and standard error
};

// run_service runs the service's program to its end.
Outcome run_service(const std::vector<std::string>& arguments);

// Daemon is a service with a store, a key file and a socket in a folder of its own. The destructor kills it, waits for
// its end and removes the folder: nothing is left. Make and use it from one thread; that thread's end would end the
// service too.
class Daemon {
 public:
  explicit Daemon(const DaemonOptions& options = {});
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // start returns when the service is ready (as it tells a service manager); false, with a failure of the test, when it
  // ended before.
  bool start();

  // try_start is start() where it is no failure of the test that the service ends.
  bool try_start();

  // configure writes another config; the service does not look at it by itself. `options` are those of the constructor;
  // environment and socket are not taken.
  void configure(const DaemonOptions& options);

  // signal sends a signal, and does not wait for anything.
  void signal(int number) const;

  // stop asks it to end (SIGTERM unless said otherwise) and returns its exit code, -1 when a signal ended it. kill ends
  // it at once. Both wait for the end.
  int stop(int signal_number = 0);
  void kill();

  // wait_for_end returns the exit code of a service that ends by itself.
  int wait_for_end();

  // exit_code is that of the service that ended last; -1: a signal ended it.
  int exit_code() const { return exit_code_; }

  bool running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  const std::string& folder() const { return folder_; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string socket_path() const { return path("s"); }
  std::string config_path() const { return path("config.json"); }
  std::string log() const;

  // notifications is all the service manager was told since the last call.
  std::vector<std::string> notifications();

  // wait_for_notification waits for a message in which `text` stands, and returns it; the messages before it are
  // forgotten. Empty, with a failure of the test, when the watchdog bit or the service ended.
  std::string wait_for_notification(const std::string& text);

 private:
  void listen_for_notifications();
  bool wait_until_ready();
  std::optional<std::string> hear(const std::string& text);

  std::string folder_;
  std::vector<std::string> environment_;
  int activation_socket_ = -1;
  std::vector<ResourceLimit> limits_;
  std::vector<std::string> heard_;  // notifications that nobody asked for yet
  platform::UniqueFd notify_socket_;
  pid_t pid_ = 0;
  int exit_code_ = -1;
  platform::UniqueFd process_;  // a pidfd: readable when the process has ended
};

// Connection is a session of the C library that ends with the object.
class Connection {
 public:
  explicit Connection(const Daemon& daemon);
  explicit Connection(const std::string& socket_path);
  ~Connection() { wvds_disconnect(session_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  wvds_session* get() const { return session_; }
  wvds_status status() const { return status_; }  // of the connecting

 private:
  wvds_session* session_ = nullptr;
  wvds_status status_;
};

// make_key gives a new key's id; 0, with a failure of the test, when the service refuses.
uint32_t make_key(const Connection& client, wvds_lifetime lifetime, wvds_algorithm algorithm = WVDS_AES_256_GCM,
                  uint32_t usages = 0);

}  // namespace wvds::test
