#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "ca/authority.h"
#include "ca/operations.h"
#include "ca/request_log.h"
#include "ca/settings.h"
#include "ca/stream.h"
#include "ca/tls.h"

namespace wvds::est_ca {

// Server serves connections, each on a thread of its own.
class Server {
 public:
  Server(Authority& authority, Settings& settings, TlsServer& tls, RequestLog& log)
      : settings_(settings), tls_(tls), operations_(authority, settings), log_(log) {}
  // Ends all connections.
  ~Server();

  // Takes the socket over. `with_tls`: false behind a server that ends TLS and says in headers who the client is.
  void serve(int socket, bool with_tls);
  // Shuts down every connection that is open.
  void end_connections();

 private:
  struct Worker {
    std::jthread thread;
    std::atomic<bool> done = false;
  };

  void run(int socket, bool with_tls);
  bool begin(Stream& stream, bool with_tls);
  void answer_requests(Stream& stream, bool with_tls);
  void forget_finished();

  Settings& settings_;
  TlsServer& tls_;
  Operations operations_;
  RequestLog& log_;
  std::mutex mutex_;
  std::set<int> sockets_;
  std::list<Worker> workers_;
};

}  // namespace wvds::est_ca
