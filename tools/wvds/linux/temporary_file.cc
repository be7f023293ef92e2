#include "tools/wvds/linux/temporary_file.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

namespace wvds::tool {
namespace {

constexpr std::array kEnding{SIGHUP, SIGINT, SIGTERM};

// What the handler may look at
char current[PATH_MAX];
volatile sig_atomic_t has_current = 0;

void remove_and_end(int signal_number) {
  if (has_current != 0) ::unlink(current);
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);  // ends the program when the handler returns
}

void catch_ending_signals() {
  struct sigaction action{};
  action.sa_handler = remove_and_end;
  for (const int number : kEnding) {
    struct sigaction before{};
    if (::sigaction(number, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) {
      ::sigaction(number, &action, nullptr);
    }
  }
}

// SignalsHeldBack keeps the handler from running between the file's making and its name's being noted.
class SignalsHeldBack {
 public:
  SignalsHeldBack() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : kEnding) sigaddset(&set, number);
    sigprocmask(SIG_BLOCK, &set, &before_);
  }
  SignalsHeldBack(const SignalsHeldBack&) = delete;
  ~SignalsHeldBack() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

int make_temporary(std::string& name) {
  const SignalsHeldBack held;
  const int descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0 || has_current != 0 || name.size() >= sizeof current) return descriptor;
  name.copy(current, name.size());
  current[name.size()] = '\0';
  has_current = 1;
  catch_ending_signals();
  return descriptor;
}

void remove_temporary(const std::string& name) {
  const int error = errno;
  ::unlink(name.c_str());
  errno = error;
  if (name == current) keep_temporary();
}

void keep_temporary() { has_current = 0; }

}  // namespace wvds::tool
