#include "est_service/linux/command.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/log.h"
#include "platform/linux/whole_io.h"

namespace wvds::est_service {
namespace {

using platform::UniqueFd;

class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);  // a group of its own, to be ended as a whole
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnSettings() { posix_spawnattr_destroy(&attributes_); }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// start returns the process id, or a negative error number. The command sees a plain environment: ours may name
// credentials and sockets of the service manager.
pid_t start(const config::EstCommand& command, const std::string& certificate) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                       "WVDS_EST_CERTIFICATE=" + certificate};
  const SpawnSettings settings;
  pid_t child = 0;
  const int error = posix_spawn(&child, command.arguments.front().c_str(), nullptr, settings.get(),
                                pointers(arguments).data(), pointers(environment).data());
  return error == 0 ? child : -error;
}

// why_to_end_it waits for the end of a process without reaping it: nothing when it ended by itself.
const char* why_to_end_it(pid_t child, uint32_t timeout_s, int stop) {
  const UniqueFd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  pollfd sets[] = {{process.get(), POLLIN, 0}, {stop, POLLIN, 0}};
  const int ready = platform::retried([&] { return poll(sets, 2, static_cast<int>(timeout_s * 1000)); });
  if (ready <= 0) return "timeout";
  return sets[0].revents != 0 ? nullptr : "the service is stopping";
}

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  return std::string("signal ") + strsignal(WTERMSIG(status));
}

}  // namespace

void run_command(const config::EstCommand& command, const std::string& certificate, int stop) {
  if (command.arguments.empty()) return;
  const std::string& program = command.arguments.front();
  const pid_t child = start(command, certificate);
  if (child < 0)
    return log_error("command after renewal not started", {{"command", program}, {"cause", std::strerror(-child)}});
  const char* const killed = why_to_end_it(child, command.timeout_s, stop);
  if (killed != nullptr) kill(-child, SIGKILL);
  int status = 0;
  platform::retried([&] { return waitpid(child, &status, 0); });
  if (killed == nullptr && WIFEXITED(status) && WEXITSTATUS(status) == 0)
    return log_info("command after renewal done", {{"command", program}, {"certificate", certificate}});
  log_error("command after renewal failed",
            {{"command", program}, {"certificate", certificate}, {"end", killed ? killed : how_it_ended(status)}});
}

}  // namespace wvds::est_service
