#include "est_service/linux/command_runner.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <utility>

#include "base/log.h"
#include "est_service/linux/command.h"
#include "platform/linux/whole_io.h"

namespace wvds::est_service {
namespace {

using platform::retried;
using platform::UniqueFd;

// What is said is the number of a certificate, or that the command is to be ended; the answer is that it has ended.
constexpr uint32_t kStop = UINT32_MAX;
constexpr uint32_t kEnded = 1;

bool say(int socket, uint32_t word) {
  return retried([&] { return ::send(socket, &word, sizeof word, MSG_NOSIGNAL); }) == sizeof word;
}

// hear returns false at the other side's end.
bool hear(int socket, uint32_t& word) {
  return retried([&] { return ::recv(socket, &word, sizeof word, 0); }) == sizeof word;
}

// A stop that is sent to the whole group is the service's business: its end ends this process.
void leave_signals_to_the_service() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP}) std::signal(number, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// run_one survives where memory is short: the next renewal has its command again. A line that finds no memory is lost.
void run_one(const config::Est& est, const std::string& certificate, int socket) try {
  run_command(est.after_renewal, certificate, socket);
} catch (const std::exception& error) {
  try {
    log_error("command after renewal failed", {{"certificate", certificate}, {"cause", error.what()}});
  } catch (const std::exception&) {
    return;
  }
}

// While a command runs, anything that comes ends it: the word for that, or the end of the service.
void serve(const config::Est& est, int socket) {
  for (uint32_t word = 0; hear(socket, word);) {
    if (word >= est.certificates.size()) continue;
    run_one(est, est.certificates[word].name, socket);
    if (!say(socket, kEnded)) return;
  }
}

[[noreturn]] void be_the_runner(const config::Est& est, UniqueFd socket) {
  ::prctl(PR_SET_NAME, "wvds-est-command", 0, 0, 0);
  leave_signals_to_the_service();
  serve(est, socket.get());
  ::_exit(0);
}

std::unexpected<Error> not_started() {
  return fail(Status::kInternalError,
              std::string("the process for the command after renewal can't be started: ") + std::strerror(errno));
}

}  // namespace

Result<std::unique_ptr<CommandRunner>> CommandRunner::start(const config::Est& est) {
  std::unique_ptr<CommandRunner> runner(new CommandRunner(est));
  if (est.after_renewal.arguments.empty()) return runner;
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return not_started();
  UniqueFd ours(pair[0]), theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) return not_started();
  if (child == 0) {
    ours.reset();
    be_the_runner(est, std::move(theirs));
  }
  runner->process_ = child;
  runner->socket_ = std::move(ours);
  return runner;
}

CommandRunner::~CommandRunner() {
  socket_.reset();
  if (process_ > 0) retried([this] { return ::waitpid(process_, nullptr, 0); });
}

void CommandRunner::run(const std::string& certificate, int stop) {
  if (!socket_) return;
  const auto found = std::ranges::find(est_.certificates, certificate, &config::EstCertificate::name);
  if (found == est_.certificates.end()) return;
  const auto number = static_cast<uint32_t>(found - est_.certificates.begin());
  if (say(socket_.get(), number) && wait_for_end(stop)) return;
  log_error("command after renewal not run: its process is gone; restart this service", {{"certificate", certificate}});
}

bool CommandRunner::wait_for_end(int stop) {
  pollfd sets[] = {{socket_.get(), POLLIN, 0}, {stop, POLLIN, 0}};
  retried([&] { return ::poll(sets, 2, -1); });
  if (sets[0].revents == 0 && !say(socket_.get(), kStop)) return false;
  uint32_t word = 0;
  return hear(socket_.get(), word) && word == kEnded;
}

}  // namespace wvds::est_service
