#pragma once

#include <list>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ca/authority.h"
#include "ca/operations.h"
#include "ca/settings.h"
#include "ca/tls.h"
#include "l4re/esttest/connection.h"

namespace wvds::test {

// Server is the EST server of the tests on Linux (tests/est/ca), reached by connections in memory.
class Server {
 public:
  Server();
  ~Server();

  // serve answers whoever is at the other end of a connection, on a thread of its own.
  void serve(int number);

  // log has "OPERATION AUTHENTICATION" for each request that was answered.
  std::vector<std::string> log() const;

 private:
  void run(int number);
  void answer_requests(est_ca::Stream& stream);
  void note(const std::string& line);

  est_ca::Settings settings_;
  est_ca::Authority authority_;
  est_ca::Operations operations_;
  est_ca::TlsServer tls_;
  mutable std::mutex mutex_;
  std::vector<std::string> log_;
  std::list<std::jthread> threads_;
};

}  // namespace wvds::test
