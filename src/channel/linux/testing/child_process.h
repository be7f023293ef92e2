#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>

#include "channel/testing/test_service.h"
#include "platform/linux/unique_fd.h"

namespace wvds::channel::testing {

// Pipe passes single bytes between processes: something to wait for.
class Pipe {
 public:
  Pipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    read_.reset(ends[0]);
    write_.reset(ends[1]);
  }
  void tell() { EXPECT_EQ(write(write_.get(), "x", 1), 1); }
  // told waits for a byte; false when the watchdog bit.
  bool told() {
    pollfd readable{read_.get(), POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kWatchdog).count())) != 1) return false;
    char byte = 0;
    return read(read_.get(), &byte, 1) == 1;
  }

 private:
  platform::UniqueFd read_;
  platform::UniqueFd write_;
};

// ChildProcess runs a function in a process of its own, which never outlives the test. Make it before threads exist.
class ChildProcess {
 public:
  explicit ChildProcess(const std::function<void()>& body) : pid_(fork()) {
    if (pid_ != 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    body();
    _exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  ~ChildProcess() { kill_now(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  void kill_now() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    wait_for_end();
  }

  // wait_for_end returns the exit code, -1 when a signal ended it.
  int wait_for_end() {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, 0);
    pid_ = 0;
    return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

}  // namespace wvds::channel::testing
