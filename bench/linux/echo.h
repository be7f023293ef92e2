#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/result.h"
#include "bench/linux/process.h"
#include "channel/client_end.h"

// (b)'s other process: the product's channel, and a handler that reads the request and writes as many bytes as the real
// answer has.
namespace wvds::bench {

class EchoProcess {
 public:
  // start forks; the calling process must not have other threads yet. `slots` as the service under test has.
  static Result<std::unique_ptr<EchoProcess>> start(const std::string& socket_path, uint32_t slots);
  EchoProcess(const EchoProcess&) = delete;
  EchoProcess& operator=(const EchoProcess&) = delete;
  ~EchoProcess();

  Result<std::shared_ptr<channel::ClientEnd>> connect() const;
  pid_t pid() const { return process_.pid(); }

  // set_answer_size says how many bytes the next answers have.
  void set_answer_size(uint32_t size) { answer_size_->store(size); }

 private:
  EchoProcess() = default;

  std::string socket_path_;
  std::atomic<uint32_t>* answer_size_ = nullptr;  // shared with the child
  Process process_;
};

}  // namespace wvds::bench
