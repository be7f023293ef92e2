#include "keystore/hsm/linux/helper_start.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace wvds::keystore::hsm {
namespace {

constexpr const char* kThisProgram = "/proc/self/exe";
constexpr int kSocketBuffer = 256 << 10;  // a whole message and its bookkeeping

// SpawnSettings: signals as a program expects them, and no descriptor but the four.
class SpawnSettings {
 public:
  explicit SpawnSettings(int socket) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    ::posix_spawnattr_init(&attributes_);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, socket, kHelperSocket);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, kHelperSocket + 1);
  }
  ~SpawnSettings() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  const posix_spawnattr_t* attributes() const { return &attributes_; }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }

 private:
  posix_spawnattr_t attributes_{};
  posix_spawn_file_actions_t actions_{};
};

std::unexpected<Error> not_started(int cause) {
  return fail(Status::kInternalError,
              std::string("the process for the PKCS#11 module can't be started: ") + std::strerror(cause));
}

}  // namespace

Result<Started> start_program(const char* word, const std::vector<std::string>& more) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return not_started(errno);
  platform::UniqueFd ours(pair[0]), theirs(pair[1]);
  for (const int fd : pair) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof kSocketBuffer);
  const SpawnSettings settings(theirs.get());
  std::vector<std::string> texts{"wvds-pkcs11", word, std::to_string(::getpid())};
  texts.insert(texts.end(), more.begin(), more.end());
  std::vector<char*> arguments;
  arguments.reserve(texts.size() + 1);
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int failed =
      ::posix_spawn(&pid, kThisProgram, settings.actions(), settings.attributes(), arguments.data(), environ);
  if (failed != 0) return not_started(failed);
  return Started{pid, std::move(ours)};
}

}  // namespace wvds::keystore::hsm
