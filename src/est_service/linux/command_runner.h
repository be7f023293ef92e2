#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "base/result.h"
#include "config/est_section.h"
#include "platform/linux/unique_fd.h"

namespace wvds::est_service {

// CommandRunner is a process that runs the configuration's command after a renewal. It is started before the sandbox
// closes, since afterwards this process can start no program; what it does is fixed by then. From this process it takes
// nothing but which one of the configured certificates the command is for. It ends with this process, however that
// ends, and a command that still runs is killed then.
class CommandRunner {
 public:
  // start forks: call it while this process has one thread and no secret yet. Without a configured command no process
  // is started, and run() does nothing. `est` outlives the runner.
  static Result<std::unique_ptr<CommandRunner>> start(const config::Est& est);
  ~CommandRunner();  // waits for the end of the process
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;

  // run has the command run for the configured certificate of this name, and waits for its end; the process logs it. It
  // is killed when `stop` becomes readable (-1: never). Blocks; nothing of it is a failure of the enrolment. For one
  // thread.
  void run(const std::string& certificate, int stop);

 private:
  explicit CommandRunner(const config::Est& est) : est_(est) {}
  bool wait_for_end(int stop);

  const config::Est& est_;
  pid_t process_ = 0;
  platform::UniqueFd socket_;
};

}  // namespace wvds::est_service
