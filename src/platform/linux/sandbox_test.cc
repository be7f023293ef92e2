#include "platform/linux/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>
#include <thread>

namespace wvds::platform {
namespace {

constexpr CallRules kCryptoService{.kind = Confined::kCryptoService};
constexpr CallRules kEstService{.kind = Confined::kEstService, .network = true};
constexpr CallRules kTokenModule{.kind = Confined::kTokenModule};
constexpr unsigned kChildWatchdog = 60;  // seconds

// status_of runs `body` in a child and returns how that ended, as waitpid says it. What `body` returns is its exit
// code.
int status_of(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(kChildWatchdog);
    ::_exit(body());
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

// in_sandbox gives what `call` leaves in errno once the filter is in force; 0 when it succeeds.
int error_of(const std::function<long()>& call) {
  errno = 0;
  return call() < 0 ? errno : 0;
}

constexpr int kNotClosed = 250;

int status_in_sandbox(const CallRules& rules, const std::function<long()>& call) {
  return status_of([&] { return Sandbox(rules).close() ? error_of(call) : kNotClosed; });
}

// error_in_sandbox expects the process to live.
int error_in_sandbox(const CallRules& rules, const std::function<long()>& call) {
  const int status = status_in_sandbox(rules, call);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

struct Attempt {
  const char* name;
  std::function<long()> call;
};

long make_process() { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr); }

// exit_if_made ends the child of a process that could be made after all.
long process_or_error() {
  const long made = make_process();
  if (made == 0) ::_exit(0);
  return made;
}

const Attempt kOfIntruders[] = {
    {"execve", [] { return static_cast<long>(::execl("/bin/true", "true", nullptr)); }},
    {"clone of a process", process_or_error},
    {"ptrace", [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
    {"process_vm_readv", [] { return ::syscall(SYS_process_vm_readv, ::getppid(), nullptr, 0, nullptr, 0, 0); }},
    {"mount", [] { return ::syscall(SYS_mount, "none", "/nowhere", "tmpfs", 0, nullptr); }},
    {"keyctl", [] { return ::syscall(SYS_keyctl, 0, -3, 0, 0, 0); }},
    {"bpf", [] { return ::syscall(SYS_bpf, 0, nullptr, 0); }},
    {"unshare", [] { return static_cast<long>(::unshare(CLONE_NEWNS)); }},
    {"setuid", [] { return ::syscall(SYS_setuid, ::getuid()); }},
    {"open_by_handle_at", [] { return ::syscall(SYS_open_by_handle_at, AT_FDCWD, nullptr, 0); }},
    {"io_uring_setup", [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }},
};

class SandboxCalls : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!kernel_has_filters()) GTEST_SKIP() << "NOT RUN: this kernel filters no system calls";
  }
};

TEST_F(SandboxCalls, ThatOnlyAnIntruderMakesEndAService) {
  for (const CallRules& rules : {kCryptoService, kEstService}) {
    for (const Attempt& attempt : kOfIntruders) {
      const int status = status_in_sandbox(rules, attempt.call);
      EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << attempt.name << ": " << status;
    }
  }
}

TEST_F(SandboxCalls, ThatOnlyAnIntruderMakesFailInTheProcessOfAModule) {
  for (const Attempt& attempt : kOfIntruders)
    EXPECT_EQ(error_in_sandbox(kTokenModule, attempt.call), EPERM) << attempt.name;
}

TEST_F(SandboxCalls, ThatAreNotListedAreUnknown) {
  unsigned long context = 0;
  for (const CallRules& rules : {kCryptoService, kEstService, kTokenModule})
    EXPECT_EQ(error_in_sandbox(rules, [&] { return ::syscall(SYS_io_setup, 1, &context); }), ENOSYS);
  for (const CallRules& rules : {kCryptoService, kEstService})
    EXPECT_EQ(error_in_sandbox(rules, [] { return ::syscall(SYS_inotify_init1, 0); }), ENOSYS);
}

// statuses_say tells whether each thread of this process has these lines in /proc/PID/task/TID/status.
bool threads_are_filtered(size_t expected) {
  size_t filtered = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "status");
    std::stringstream text;
    text << file.rdbuf();
    if (text.str().find("Seccomp:\t2\n") != std::string::npos &&
        text.str().find("NoNewPrivs:\t1\n") != std::string::npos)
      ++filtered;
  }
  return filtered == expected;
}

TEST_F(SandboxCalls, AreFilteredInThreadsBeforeAndAfter) {
  const int status = status_of([] {
    const auto denied = [] { return error_of([] { return ::syscall(SYS_inotify_init1, 0); }) == ENOSYS; };
    int to_first[2], to_main[2];
    char token = 0;
    bool before = false, after = false, all = false;
    if (::pipe(to_first) != 0 || ::pipe(to_main) != 0) return 1;
    std::thread first([&] {
      if (::read(to_first[0], &token, 1) == 1) before = denied();
      (void)!::write(to_main[1], "x", 1);
    });
    if (!Sandbox(kCryptoService).close()) return 2;
    (void)!::write(to_first[1], "x", 1);
    (void)!::read(to_main[0], &token, 1);
    std::thread second([&] {
      after = denied();
      all = threads_are_filtered(2) || threads_are_filtered(3);
    });
    second.join();
    first.join();
    return before && after && all && denied() ? 0 : 3;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(SandboxCalls, MakeNoMemoryExecutable) {
  const auto change = [] {
    void* const page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return static_cast<long>(::mprotect(page, 4096, PROT_READ | PROT_EXEC));
  };
  const auto map = [] {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1L : 0L;
  };
  const auto load = [] {
    const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED ? -1L : 0L;
  };
  for (const CallRules& rules : {kCryptoService, kEstService, kTokenModule}) {
    EXPECT_EQ(error_in_sandbox(rules, change), EPERM);
    EXPECT_EQ(error_in_sandbox(rules, map), EPERM);
    EXPECT_EQ(error_in_sandbox(rules, load), rules.kind == Confined::kTokenModule ? 0 : EPERM);
  }
}

TEST_F(SandboxCalls, ReachTheNetworkOnlyWhereItIsNeeded) {
  const auto family = [](int number) {
    return [number] { return static_cast<long>(::socket(number, SOCK_STREAM, 0)); };
  };
  const CallRules relayed{.kind = Confined::kEstService};
  for (const int number : {AF_INET, AF_INET6}) {
    for (const CallRules& rules : {kCryptoService, relayed}) EXPECT_EQ(error_in_sandbox(rules, family(number)), ENOSYS);
    for (const CallRules& rules : {kEstService, kTokenModule}) EXPECT_EQ(error_in_sandbox(rules, family(number)), 0);
  }
  for (const CallRules& rules : {kCryptoService, kEstService, kTokenModule}) {
    EXPECT_EQ(error_in_sandbox(rules, family(AF_UNIX)), 0);
    EXPECT_EQ(error_in_sandbox(rules, family(AF_VSOCK)), ENOSYS);
  }
}

TEST_F(SandboxCalls, ChangeNothingOfAProcess) {
  const auto raise_limit = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<long>(::setrlimit(RLIMIT_NOFILE, &limit));
  };
  EXPECT_EQ(error_in_sandbox(kCryptoService, raise_limit), ENOSYS);
  EXPECT_EQ(error_in_sandbox(kCryptoService, [] { return static_cast<long>(::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); }),
            ENOSYS);
  EXPECT_EQ(error_in_sandbox(kCryptoService, [] { return static_cast<long>(::kill(::getppid(), 0)); }), ENOSYS);
  EXPECT_EQ(error_in_sandbox(kTokenModule, [] { return static_cast<long>(::kill(::getppid(), 0)); }), ENOSYS);
  EXPECT_EQ(error_in_sandbox(kCryptoService, [] { return ::syscall(SYS_tgkill, ::getppid(), ::getppid(), 0); }),
            ENOSYS);
  char byte = 'x';
  EXPECT_EQ(error_in_sandbox(kCryptoService, [&] { return ::syscall(SYS_ioctl, 0, 0x5412, &byte); }), ENOSYS)
      << "TIOCSTI";
}

std::set<std::string> names_in(std::span<const CallGroup> groups, uint8_t who) {
  std::set<std::string> out;
  for (const CallGroup& group : groups) {
    if ((group.who & who) != 0) out.insert(group.calls.begin(), group.calls.end());
  }
  return out;
}

TEST(CallLists, NameCallsThatExist) {
  for (const auto& groups : {allowed_calls(), conditional_calls(), lethal_calls()}) {
    for (const std::string& call : names_in(groups, 7))
      EXPECT_NE(seccomp_syscall_resolve_name(call.c_str()), __NR_SCMP_ERROR) << call;
  }
}

TEST(CallLists, AllowNothingThatEndsTheProcess) {
  const auto lethal = names_in(lethal_calls(), 7);
  for (const std::string& call : names_in(allowed_calls(), 7)) EXPECT_FALSE(lethal.contains(call)) << call;
}

// Row is a line of a table: its cells without spaces at both ends.
using Row = std::vector<std::string>;

std::vector<Row> rows_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<Row> out;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("| ") || !line.ends_with(" |")) continue;
    Row row;
    for (size_t begin = 2, end = 0; begin < line.size(); begin = end + 3) {
      end = std::min(line.find(" | ", begin), line.size() - 2);
      row.push_back(line.substr(begin, end - begin));
    }
    out.push_back(row);
  }
  return out;
}

std::string who_text(const CallGroup& group) {
  std::string out;
  const auto add = [&](Confined kind, const char* word) {
    if (group.is_for(kind)) out += (out.empty() ? "" : ", ") + std::string(word);
  };
  add(Confined::kCryptoService, "crypto");
  add(Confined::kEstService, "est");
  add(Confined::kTokenModule, "module");
  return out;
}

std::string calls_text(const CallGroup& group) {
  std::string out;
  for (const char* call : group.calls) out += (out.empty() ? "`" : " `") + std::string(call) + "`";
  return out;
}

TEST(CallLists, StandInTheDocuments) {
  const std::vector<Row> rows = rows_of(WVDS_SOURCE_DIR "/docs/sandbox.md");
  size_t found = 0;
  for (const auto& groups : {allowed_calls(), conditional_calls(), lethal_calls()}) {
    for (const CallGroup& group : groups) {
      const Row wanted{group.name, who_text(group), calls_text(group)};
      const bool stands = std::ranges::any_of(rows, [&](const Row& row) {
        return row.size() == 4 && std::equal(wanted.begin(), wanted.end(), row.begin());
      });
      EXPECT_TRUE(stands) << "| " << wanted[0] << " | " << wanted[1] << " | " << wanted[2] << " |";
      found += stands;
    }
  }
  const auto of_calls =
      std::ranges::count_if(rows, [](const Row& row) { return row.size() == 4 && row[2].starts_with("`"); });
  EXPECT_EQ(found, static_cast<size_t>(of_calls)) << "a row of the document is about no calls of the program";
}

class SandboxFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    if (landlock_version() < 1) GTEST_SKIP() << "NOT RUN: this kernel has no Landlock";
    std::string pattern = ::testing::TempDir() + "sandbox_XXXXXX";
    folder_ = std::filesystem::canonical(::mkdtemp(pattern.data()));
    for (const char* name : {"own", "other"}) {
      std::filesystem::create_directory(folder_ + "/" + name);
      std::ofstream(folder_ + "/" + name + "/file") << "text";
    }
    std::filesystem::create_symlink(folder_ + "/other/file", folder_ + "/own/link");
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  // open_error opens a file of the folder in a process that `confine` has confined.
  int open_error(const std::function<Result<>()>& confine, const std::string& name, int flags = O_RDONLY) {
    const int status = status_of([&] {
      if (!confine()) return kNotClosed;
      return error_of([&] { return static_cast<long>(::open((folder_ + "/" + name).c_str(), flags, 0600)); });
    });
    EXPECT_TRUE(WIFEXITED(status));
    return WEXITSTATUS(status);
  }

  std::function<Result<>()> confined_to(FileAccess access) {
    return [this, access] { return Sandbox(kCryptoService).confine_files({{folder_ + "/own", access}}); };
  }

  std::function<Result<>()> hiding(const std::string& name) {
    return [this, name] { return Sandbox(kTokenModule).hide_files({folder_ + "/" + name}); };
  }

  std::string folder_;
};

TEST_F(SandboxFiles, AreReachedOnlyWhereARuleSaysSo) {
  const auto confine = confined_to(FileAccess::kRead);
  EXPECT_EQ(open_error(confine, "own/file"), 0);
  EXPECT_EQ(open_error(confine, "own"), 0);
  EXPECT_EQ(open_error(confine, "other/file"), EACCES);
  EXPECT_EQ(open_error(confine, "own/link"), EACCES);
  EXPECT_EQ(open_error(confine, "own/../other/file"), EACCES);
  const int status = status_of([&] {
    if (!confine()) return kNotClosed;
    return error_of([] { return static_cast<long>(::open("/etc/shadow", O_RDONLY)); });
  });
  EXPECT_EQ(WEXITSTATUS(status), EACCES);
}

TEST_F(SandboxFiles, AreChangedOnlyWhereARuleSaysSo) {
  EXPECT_EQ(open_error(confined_to(FileAccess::kRead), "own/file", O_WRONLY), EACCES);
  EXPECT_EQ(open_error(confined_to(FileAccess::kRead), "own/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(open_error(confined_to(FileAccess::kChange), "own/file", O_WRONLY), 0);
  EXPECT_EQ(open_error(confined_to(FileAccess::kChange), "own/new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(open_error(confined_to(FileAccess::kChange), "other/new", O_WRONLY | O_CREAT), EACCES);
  EXPECT_EQ(open_error(confined_to(FileAccess::kSocket), "own"), EACCES);
}

TEST_F(SandboxFiles, AreConfinedInLaterThreadsToo) {
  const int status = status_of([&] {
    if (!confined_to(FileAccess::kRead)()) return kNotClosed;
    int error = 0;
    std::thread later([&] {
      error = error_of([&] { return static_cast<long>(::open((folder_ + "/other/file").c_str(), O_RDONLY)); });
    });
    later.join();
    return error;
  });
  EXPECT_EQ(WEXITSTATUS(status), EACCES);
}

TEST_F(SandboxFiles, CanNotBeConfinedWhenThreadsExist) {
  const int status = status_of([&] {
    int hold[2];
    if (::pipe(hold) != 0) return 1;
    std::thread waiting([&] {
      char byte;
      (void)!::read(hold[0], &byte, 1);
    });
    const auto confined = confined_to(FileAccess::kRead)();
    (void)!::write(hold[1], "x", 1);
    waiting.join();
    return confined.has_value() ? 2 : 0;
  });
  EXPECT_EQ(status, 0);
}

TEST_F(SandboxFiles, ThatAreHiddenCanNotBeReachedAndTheRestCan) {
  EXPECT_EQ(open_error(hiding("other"), "other/file"), EACCES);
  EXPECT_EQ(open_error(hiding("other"), "own/link"), EACCES);
  EXPECT_EQ(open_error(hiding("other"), "own/file"), 0);
  EXPECT_EQ(open_error(hiding("other"), "own/new", O_WRONLY | O_CREAT), 0);
  EXPECT_EQ(open_error(hiding("other/file"), "other/file"), EACCES);
  EXPECT_EQ(open_error(hiding("other/missing"), "other/file"), 0);
}

}  // namespace
}  // namespace wvds::platform
