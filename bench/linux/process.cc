#include "bench/linux/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace wvds::bench {
namespace {

std::unexpected<Error> failed(const char* what) {
  return fail(Status::kInternalError, std::string(what) + ": " + std::strerror(errno));
}

// dies_with_parent ends the child when the bench ends, however that happens.
void dies_with_parent(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
}

[[noreturn]] void run_program(const std::vector<std::string>& command, const std::string& log) {
  const int file = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (file >= 0) {
    dup2(file, STDOUT_FILENO);
    dup2(file, STDERR_FILENO);
  }
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execv(arguments[0], arguments.data());
  _exit(127);
}

std::string read_text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// field gives the number after `name` in the text of /proc/PID/status.
uint64_t field(const std::string& text, const char* name) {
  const size_t at = text.find(std::string("\n") + name + ":");
  return at == std::string::npos ? 0 : std::strtoull(text.c_str() + at + std::strlen(name) + 2, nullptr, 10);
}

// for_each_thread calls visit(folder) for each thread's folder in /proc; false when the process is gone.
template <class Visit>
bool for_each_thread(pid_t pid, Visit visit) {
  std::error_code error;
  std::filesystem::directory_iterator tasks("/proc/" + std::to_string(pid) + "/task", error);
  if (error) return false;
  for (const auto& task : tasks) visit(task.path().string());
  return true;
}

}  // namespace

Result<Process> Process::start(const std::vector<std::string>& command, const std::string& log) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return failed("fork");
  if (pid == 0) {
    dies_with_parent(parent);
    run_program(command, log);
  }
  return Process(pid);
}

Result<Process> Process::fork_to_run(const std::function<void()>& body) {
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return failed("fork");
  if (pid == 0) {
    dies_with_parent(parent);
    body();
    _exit(0);
  }
  return Process(pid);
}

Process& Process::operator=(Process&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, 0);
  }
  return *this;
}

bool Process::running() const {
  siginfo_t info{};
  return pid_ > 0 && waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         info.si_pid == 0;
}

void Process::stop() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (waitpid(pid_, nullptr, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) kill(pid_, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  pid_ = 0;
}

Result<ProcessUse> process_use(pid_t pid) {
  const std::string status = read_text("/proc/" + std::to_string(pid) + "/status");
  if (status.empty()) return fail(Status::kInternalError, "the process is gone");
  ProcessUse use;
  constexpr double kKilobytesPerMegabyte = 1024;
  use.resident_mb = static_cast<double>(field(status, "VmRSS")) / kKilobytesPerMegabyte;
  use.anonymous_mb = static_cast<double>(field(status, "RssAnon")) / kKilobytesPerMegabyte;
  use.file_mb = static_cast<double>(field(status, "RssFile")) / kKilobytesPerMegabyte;
  use.shared_mb = static_cast<double>(field(status, "RssShmem")) / kKilobytesPerMegabyte;
  for_each_thread(pid, [&](const std::string& folder) {
    ++use.threads;
    use.running_ns += std::strtoull(read_text(folder + "/schedstat").c_str(), nullptr, 10);
    const std::string thread = read_text(folder + "/status");
    use.switches += field(thread, "voluntary_ctxt_switches") + field(thread, "nonvoluntary_ctxt_switches");
  });
  return use;
}

bool sleeps(pid_t pid) {
  bool all = true;
  const bool alive = for_each_thread(pid, [&](const std::string& folder) {
    const std::string stat = read_text(folder + "/stat");
    const size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos || name_end + 2 >= stat.size() || stat[name_end + 2] != 'S') all = false;
  });
  return alive && all;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wvds_bench.XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

}  // namespace wvds::bench
