#include "keystore/hsm/linux/helper_main.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "keystore/hsm/helper_server.h"
#include "keystore/hsm/linux/helper_start.h"
#include "keystore/hsm/linux/module_loader.h"
#include "platform/hardening.h"
#include "platform/linux/sandbox.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

namespace wvds::keystore::hsm {
namespace {

using platform::retried;
using platform::UniqueFd;

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;

int complain(const char* what) {
  std::fprintf(stderr, "wvds-pkcs11: %s\n", what);
  return kExitFailure;
}

bool is_started_as_helper() {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(kHelperSocket, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

// Worker is the process that the spawner started last.
class Worker {
 public:
  ~Worker() { end(); }

  Result<UniqueFd> start() {
    end();
    WVDS_ASSIGN(started, start_program(kWorkerWord));
    pid_ = started.pid;
    process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    return std::move(started.socket);
  }

  // end kills it, in whatever state the module is, and reaps it.
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    retried([this] { return ::waitpid(pid_, nullptr, 0); });
    pid_ = 0;
    process_.reset();
  }

  int process() const { return process_.get(); }  // readable when it has ended; -1 without one

 private:
  pid_t pid_ = 0;
  UniqueFd process_;
};

void answer_with_socket(int fd) {
  char word = fd >= 0 ? kStartWorker : kStartFailed;
  iovec content{&word, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)]{};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  if (fd >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  retried([&] { return ::sendmsg(kHelperSocket, &message, MSG_NOSIGNAL); });
}

// The spawner loads no module, so it always sees the end of its socket: that is how it knows that the service ended.
// (PR_SET_PDEATHSIG would tell the end of the thread that started it.)
int spawn_until_end() {
  Worker worker;
  for (;;) {
    pollfd watched[] = {{kHelperSocket, POLLIN, 0}, {worker.process(), POLLIN, 0}};
    if (::poll(watched, 2, -1) < 0 && errno != EINTR) return complain("can't wait");
    if ((watched[1].revents & POLLIN) != 0) worker.end();
    if (watched[0].revents == 0) continue;
    char word = 0;
    if (retried([&] { return ::recv(kHelperSocket, &word, 1, 0); }) != 1) return 0;
    if (word != kStartWorker) continue;
    const auto socket = worker.start();
    if (!socket) complain(socket.error().detail.c_str());
    answer_with_socket(socket ? socket->get() : -1);
  }
}

// The worker leaves by _exit: modules are known to crash in what they registered for exit.
// A spawner that ended before the prctl is noticed by the parent's being another.
[[noreturn]] void serve_until_end(const char* parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (std::to_string(::getppid()) != parent) ::_exit(0);
  platform::Sandbox sandbox({.kind = platform::Confined::kTokenModule});
  if (const auto closed = sandbox.close(); !closed) ::_exit(complain(closed.error().detail.c_str()));
  HelperServer server(load_module);
  WipedBytes packet(kMaxHelperMessage);
  for (;;) {
    const MutableBytes target = packet.expose_for_writing();
    const auto size = retried([&] { return ::recv(kHelperSocket, target.data(), target.size(), 0); });
    if (size <= 0) ::_exit(0);
    const WipedBytes answer = server.answer(Bytes(target).first(static_cast<size_t>(size)));
    secure_wipe(target.data(), static_cast<size_t>(size));
    const Bytes bytes = answer.expose();
    if (retried([&] { return ::send(kHelperSocket, bytes.data(), bytes.size(), MSG_NOSIGNAL); }) < 0) ::_exit(1);
  }
}

// A stop that is sent to the whole group (a terminal's, a service manager's) is the service's business: it may still
// need the token while it stops, and its end ends the helper.
void leave_signals_to_the_service() {
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP}) std::signal(number, SIG_IGN);
}

// The module needs the environment, as vendors' modules find their settings there, but not the service manager's words.
void forget_service_manager() {
  for (const char* name : {"NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC",
                           "WATCHDOG_PID", "CREDENTIALS_DIRECTORY"})
    ::unsetenv(name);
}

// hide takes files from the spawner, which can't get them back; so can't the workers that it starts. It loads no module
// and starts only this program, so its system calls are as they were.
Result<> hide(const std::vector<std::string>& files) {
  if (files.empty()) return {};
  return platform::Sandbox({.kind = platform::Confined::kTokenModule}).hide_files(files);
}

}  // namespace

std::optional<int> run_as_helper(int argc, char** argv) {
  const std::string_view word = argc >= 2 ? argv[1] : "";
  const bool is_spawner = word == kSpawnerWord;
  if (!is_spawner && word != kWorkerWord) return std::nullopt;
  if (argc < 3 || !is_started_as_helper()) {
    complain("the service starts this itself");
    return kExitUsage;
  }
  leave_signals_to_the_service();
  if (const auto hardened = platform::harden_process(); !hardened) return complain(hardened.error().detail.c_str());
  forget_service_manager();
  if (!is_spawner) serve_until_end(argv[2]);
  if (const auto hidden = hide({argv + 3, argv + argc}); !hidden) return complain(hidden.error().detail.c_str());
  ::_exit(spawn_until_end());  // nothing of the program that this is otherwise has to be ended
}

}  // namespace wvds::keystore::hsm
