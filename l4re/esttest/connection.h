#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace wvds::test {

// Pipe carries bytes one way. Any thread.
class Pipe {
 public:
  void put(std::string_view bytes);
  // end lets the reader find the end behind what was put.
  void end();

  // take waits for bytes, at most so long, and gives up to `most` of them.
  std::string take(std::size_t most, unsigned milliseconds);
  bool at_end() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string bytes_;
  bool ended_ = false;
};

// Connection is what stands for TCP between the relay and the EST server, which are in one task.
struct Connection {
  Pipe to_server;
  Pipe to_client;
};

// connection finds, or makes, the one of this number; forget drops it once the other end has dropped it too.
std::shared_ptr<Connection> connection(int number);
void forget(int number);

}  // namespace wvds::test
