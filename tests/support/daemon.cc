#include "support/daemon.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

extern char** environ;

namespace wvds::test {
namespace {

using platform::UniqueFd;

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Environment of a child: the test's own, with `more` in place of variables of the same names. A sanitized service
// can't look for leaks: it lets nobody read its memory, the leak checker included.
std::vector<std::string> environment_with(const std::vector<std::string>& more) {
  std::vector<std::string> all = more;
  const char* asan = std::getenv("ASAN_OPTIONS");
  all.push_back(std::string("ASAN_OPTIONS=") + (asan == nullptr ? "" : std::string(asan) + ":") + "detect_leaks=0");
  const auto given = [&](const std::string& variable) {
    const std::string name = variable.substr(0, variable.find('=') + 1);
    return std::ranges::any_of(all, [&](const std::string& other) { return other.starts_with(name); });
  };
  std::vector<std::string> inherited;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!given(*variable)) inherited.emplace_back(*variable);
  }
  all.insert(all.end(), inherited.begin(), inherited.end());
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

constexpr const char* kListenPid = "LISTEN_PID=";
constexpr int kFirstHandedOver = 3;

// hand_over makes a socket descriptor 3 of this process, which is to become the service, and writes its process id into
// the variable, which has room for it. Between fork and exec.
void hand_over(int socket, char* variable) {
  std::snprintf(variable, std::strlen(variable) + 1, "%s%d", kListenPid, getpid());
  if (socket == kFirstHandedOver) {
    fcntl(socket, F_SETFD, 0);
  } else {
    dup2(socket, kFirstHandedOver);
  }
}

void set_limits(const std::vector<ResourceLimit>& limits) {
  for (const ResourceLimit& limit : limits) {
    rlimit both{};
    const auto resource = static_cast<__rlimit_resource>(limit.resource);
    if (getrlimit(resource, &both) != 0) _exit(126);
    both.rlim_cur = limit.value;
    if (setrlimit(resource, &both) != 0) _exit(126);
  }
}

// start_program runs the service's program with `output` as its standard output and error. It dies with the calling
// thread.
pid_t start_program(std::vector<std::string> arguments, std::vector<std::string> environment, int output,
                    int activation_socket = -1, const std::vector<ResourceLimit>& limits = {}) {
  arguments.insert(arguments.begin(), WVDS_SERVICE_PROGRAM);
  if (activation_socket >= 0) {
    environment.push_back("LISTEN_FDS=1");  // the first of several of one name counts
    environment.insert(environment.begin(), kListenPid + std::string(20, ' '));
  }
  const std::vector<char*> argv = pointers(arguments);
  const std::vector<char*> envp = pointers(environment);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child != 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(126);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  if (activation_socket >= 0) hand_over(activation_socket, envp[0]);
  set_limits(limits);
  execve(argv[0], argv.data(), envp.data());
  _exit(127);
}

int exit_code_of(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int watchdog_ms() { return static_cast<int>(std::chrono::milliseconds(kWatchdog).count()); }

std::string new_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wvds-XXXXXX").string();
  EXPECT_NE(mkdtemp(pattern.data()), nullptr);
  EXPECT_EQ(chmod(pattern.c_str(), 0711), 0);  // other users reach the socket, and nothing else
  return pattern;
}

}  // namespace

bool reached(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + kWatchdog;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

std::string all_operations() {
  return R"(["aes-encrypt", "aes-decrypt", "mldsa-sign", "mldsa-verify", "ecdsa-sign", "ecdsa-verify",
    "mlkem-keygen", "mlkem-encaps", "mlkem-decaps", "mlkem-encaps-to-key", "mlkem-decaps-to-key", "key-generate",
    "key-import", "key-public", "key-list", "key-info", "key-rotate", "key-retire", "key-delete", "random", "status",
    "metrics"])";
}

std::string this_user_may_all(const std::string& name) {
  return R"({"name": ")" + name + R"(", "uid": )" + std::to_string(getuid()) + R"(, "operations": )" +
         all_operations() + R"(, "limits": {"sessions": 64}, "rate_limit": {"requests_per_second": 0}})";
}

Outcome run_service(const std::vector<std::string>& arguments) {
  const std::string folder = new_folder();
  const std::string output = folder + "/output";
  const UniqueFd file(open(output.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  Outcome run;
  run.exit_code = exit_code_of(start_program(arguments, environment_with({}), file.get()));
  run.output = contents(output);
  std::filesystem::remove_all(folder);
  return run;
}

Daemon::Daemon(const DaemonOptions& options)
    : folder_(new_folder()),
      environment_(options.environment),
      activation_socket_(options.activation_socket),
      limits_(options.limits) {
  EXPECT_EQ(mkdir(path("keys").c_str(), 0700), 0);
  configure(options);
  listen_for_notifications();
}

Daemon::~Daemon() {
  kill();
  if (::testing::Test::HasFailure()) std::fprintf(stderr, "--- the service's log ---\n%s---\n", log().c_str());
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Daemon::configure(const DaemonOptions& options) {
  const std::string required = R"({"mode": "required", "modules_dir": ")" WVDS_OPENSSL_PREFIX
                               R"(/lib/ossl-modules", "config": ")" WVDS_OPENSSL_PREFIX R"(/ssl/fipsmodule.cnf"})";
  const std::string key_file = R"("protector": "file", "file": {"key_file": ")" + path("keys/store.key") + R"("})";
  std::ofstream file(config_path());
  file << "{\n\"socket\": {\"path\": \"" << socket_path() << "\", \"mode\": \"0666\"},\n"
       << "\"store\": {\"path\": \"" << path("store") << "\", "
       << (options.protector.empty() ? key_file : options.protector) << "},\n"
       << "\"fips\": " << (options.fips.empty() ? required : options.fips) << ",\n"
       << options.sections << "\n\"clients\": [" << options.clients << "]\n}\n";
}

void Daemon::listen_for_notifications() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string notify_path = path("n");
  std::memcpy(address.sun_path, notify_path.c_str(), notify_path.size());
  notify_socket_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  ASSERT_EQ(bind(notify_socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  environment_.push_back("NOTIFY_SOCKET=" + notify_path);
}

bool Daemon::start() {
  if (try_start()) return true;
  ADD_FAILURE() << "the service did not get ready";
  return false;
}

bool Daemon::try_start() {
  EXPECT_FALSE(running());
  const UniqueFd log_file(open(path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  pid_ = start_program({"--config", config_path()}, environment_with(environment_), log_file.get(), activation_socket_,
                       limits_);
  process_.reset(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (wait_until_ready()) return true;
  kill();
  return false;
}

bool Daemon::wait_until_ready() { return hear("READY=1").has_value(); }

// hear forgets what came before the message that it waits for, and keeps what came after it.
std::optional<std::string> Daemon::hear(const std::string& text) {
  const auto end = std::chrono::steady_clock::now() + kWatchdog;
  for (bool ended = false;;) {
    heard_ = notifications();
    const auto found =
        std::ranges::find_if(heard_, [&](const std::string& message) { return message.find(text) != message.npos; });
    if (found != heard_.end()) {
      std::string message = *found;
      heard_.erase(heard_.begin(), found + 1);
      return message;
    }
    if (ended || std::chrono::steady_clock::now() > end) return std::nullopt;
    pollfd events[] = {{notify_socket_.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
    poll(events, 2, watchdog_ms());
    ended = events[1].revents != 0;
  }
}

std::vector<std::string> Daemon::notifications() {
  std::vector<std::string> messages = std::exchange(heard_, {});
  char buffer[4096];
  for (ssize_t length = 0; (length = recv(notify_socket_.get(), buffer, sizeof buffer, 0)) > 0;) {
    messages.emplace_back(buffer, static_cast<size_t>(length));
  }
  return messages;
}

std::string Daemon::wait_for_notification(const std::string& text) {
  const auto message = hear(text);
  EXPECT_TRUE(message.has_value()) << "the service manager was not told " << text;
  return message.value_or("");
}

void Daemon::signal(int number) const { EXPECT_EQ(::kill(pid_, number), 0); }

int Daemon::stop(int signal_number) {
  if (!running()) return -1;
  ::kill(pid_, signal_number == 0 ? SIGTERM : signal_number);
  return wait_for_end();
}

void Daemon::kill() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  wait_for_end();
}

int Daemon::wait_for_end() {
  pollfd ended{process_.get(), POLLIN, 0};
  if (poll(&ended, 1, watchdog_ms()) != 1) {
    ADD_FAILURE() << "the service did not end";
    ::kill(pid_, SIGKILL);
  }
  process_.reset();
  return exit_code_ = exit_code_of(std::exchange(pid_, 0));
}

std::string Daemon::log() const { return contents(path("log")); }

Connection::Connection(const Daemon& daemon) : Connection(daemon.socket_path()) {}
Connection::Connection(const std::string& socket_path)
    : status_(wvds_connect(&session_, socket_path.c_str(), static_cast<uint32_t>(watchdog_ms()))) {
  if (status_ == WVDS_SUCCESS) wvds_set_timeout(session_, static_cast<uint32_t>(watchdog_ms()));
}

uint32_t make_key(const Connection& client, wvds_lifetime lifetime, wvds_algorithm algorithm, uint32_t usages) {
  wvds_key_template wanted{};
  wanted.algorithm = algorithm;
  wanted.lifetime = lifetime;
  wanted.usages = usages;
  uint32_t key = 0;
  EXPECT_EQ(wvds_key_generate(client.get(), &key, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
  return key;
}

}  // namespace wvds::test
