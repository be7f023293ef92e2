#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace wvds::bench {

// Process is a child of this one. It ends with the object, and with this process.
class Process {
 public:
  // start runs a program; its standard error goes to `log`, a file.
  static Result<Process> start(const std::vector<std::string>& command, const std::string& log);

  // fork_to_run runs `body` in a copy of this process, which must not have other threads yet.
  static Result<Process> fork_to_run(const std::function<void()>& body);

  Process() = default;
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Process& operator=(Process&& other) noexcept;
  ~Process() { stop(); }

  pid_t pid() const { return pid_; }
  bool running() const;

  // stop asks the child to end and waits for it; one that has not ended after 10 s is killed.
  void stop();

 private:
  explicit Process(pid_t pid) : pid_(pid) {}

  pid_t pid_ = 0;
};

// ProcessUse is what the kernel tells about a process.
struct ProcessUse {
  double resident_mb = 0;  // 1 MB = 1,048,576 bytes
  double anonymous_mb = 0;
  double file_mb = 0;
  double shared_mb = 0;
  uint64_t running_ns = 0;  // on a processor, all threads
  uint64_t switches = 0;    // all threads
  unsigned threads = 0;
};
Result<ProcessUse> process_use(pid_t pid);

// sleeps tells whether every thread of the process is blocked.
bool sleeps(pid_t pid);

// TemporaryFolder is removed, with all that is in it, by the destructor.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace wvds::bench
