#pragma once

#include <atomic>
#include <thread>

#include "l4re/esttest/server.h"
#include "wvds_crypto.h"

namespace wvds::test {

// Relay carries est_service's bytes, on a thread of its own, to a server in this task; without one it has no network.
class Relay {
 public:
  explicit Relay(Server* server) : server_(server), thread_([this] { run(); }) {}
  ~Relay();

 private:
  void run();
  wvds_est_event carry_out(const wvds_est_task& task);

  Server* const server_;
  std::atomic<bool> stopping_ = false;
  std::string bytes_;
  std::thread thread_;
};

}  // namespace wvds::test
