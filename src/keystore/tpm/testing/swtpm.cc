#include "keystore/tpm/testing/swtpm.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "platform/linux/unique_fd.h"

namespace wvds::keystore::testing {
namespace {

using platform::UniqueFd;

constexpr std::chrono::seconds kWatchdog{60};
constexpr const char* kPrograms[] = {"swtpm", "swtpm_setup", "tpm2_pcrextend"};

bool is_installed(const std::string& program) {
  const char* const path = std::getenv("PATH");
  const std::string folders = path == nullptr ? "/usr/bin" : path;
  for (size_t begin = 0; begin <= folders.size();) {
    const size_t end = std::min(folders.find(':', begin), folders.size());
    if (::access((folders.substr(begin, end - begin) + "/" + program).c_str(), X_OK) == 0) return true;
    begin = end + 1;
  }
  return false;
}

std::string new_folder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wvds-tpm-XXXXXX").string();
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  return pattern;
}

// start_program runs a program that dies with the calling thread, its output going to `output`.
pid_t start_program(std::vector<std::string> command, int output) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  ::execvp(arguments[0], arguments.data());
  ::_exit(127);
}

bool ended_well(pid_t pid) {
  int status = 0;
  return ::waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// run_to_end returns the program's output.
std::string run_to_end(const std::vector<std::string>& command) {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  UniqueFd from(ends[0]), to(ends[1]);
  const pid_t pid = start_program(command, to.get());
  to.reset();
  std::string output;
  char buffer[4096];
  for (ssize_t size = 0; (size = ::read(from.get(), buffer, sizeof buffer)) > 0;)
    output.append(buffer, static_cast<size_t>(size));
  EXPECT_TRUE(ended_well(pid)) << command.front() << ": " << output;
  return output;
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  EXPECT_LT(path.size(), sizeof address.sun_path) << path;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

UniqueFd connected_to(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

UniqueFd listening_at(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_un address = address_of(path);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(::listen(fd.get(), 8), 0);
  return fd;
}

// answers asks the TPM for eight random bytes.
bool answers(const std::string& socket_path) {
  constexpr unsigned char kGetRandom[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8};
  constexpr size_t kHeaderSize = 10;
  const UniqueFd commands = connected_to(socket_path);
  if (!commands || !connected_to(socket_path + ".ctrl")) return false;
  if (::send(commands.get(), kGetRandom, sizeof kGetRandom, MSG_NOSIGNAL) != ssize_t{sizeof kGetRandom}) return false;
  unsigned char answer[64];
  return ::recv(commands.get(), answer, sizeof answer, 0) >= ssize_t{kHeaderSize};
}

}  // namespace

std::string swtpm_missing() {
  std::string missing;
  for (const char* program : kPrograms) {
    if (!is_installed(program)) missing += (missing.empty() ? "" : ", ") + std::string(program);
  }
  return missing;
}

Swtpm::Swtpm(const std::string& banks) : folder_(new_folder()) {
  if (!banks.empty())
    run_to_end({"swtpm_setup", "--tpm2", "--tpmstate", folder_, "--pcr-banks", banks, "--logfile", folder_ + "/setup"});
  start();
}

Swtpm::~Swtpm() {
  power_off();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Swtpm::start() {
  ASSERT_FALSE(is_on());
  const std::string control = socket_path() + ".ctrl";
  ::unlink(socket_path().c_str());
  ::unlink(control.c_str());
  const UniqueFd log(::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  pid_ = start_program(
      {"swtpm", "socket", "--tpm2", "--tpmstate", "dir=" + folder_, "--server", "type=unixio,path=" + socket_path(),
       "--ctrl", "type=unixio,path=" + control, "--flags", "not-need-init,startup-clear"},
      log.get());
  const auto end = std::chrono::steady_clock::now() + kWatchdog;
  while (!answers(socket_path())) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << "swtpm did not start";
    ASSERT_EQ(::waitpid(pid_, nullptr, WNOHANG), 0) << "swtpm ended";
    std::this_thread::yield();
  }
}

void Swtpm::power_off() {
  if (!is_on()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

void Swtpm::freeze() const { ASSERT_EQ(::kill(pid_, SIGSTOP), 0); }
void Swtpm::thaw() const { ASSERT_EQ(::kill(pid_, SIGCONT), 0); }

std::string Swtpm::run(const std::vector<std::string>& command) const {
  std::vector<std::string> all = command;
  all.insert(all.begin() + 1, {"--tcti", tcti()});
  return run_to_end(all);
}

void Swtpm::extend_pcr(int pcr, const std::string& bank) const {
  const size_t digits = bank == "sha1" ? 40 : bank == "sha256" ? 64 : bank == "sha384" ? 96 : 128;
  run({"tpm2_pcrextend", std::to_string(pcr) + ":" + bank + "=" + std::string(digits, '7')});
}

uint32_t Swtpm::property(const std::string& name) const {
  const std::string all = run({"tpm2_getcap", "properties-variable"});
  const size_t at = all.find(name + ":");
  EXPECT_NE(at, std::string::npos) << name;
  return at == std::string::npos ? 0 : static_cast<uint32_t>(std::stoul(all.substr(at + name.size() + 1), nullptr, 0));
}

// Relay accepts one connection after the other and passes it on.
class TpmWiretap::Relay {
 public:
  Relay(const std::string& at, std::string target)
      : listener_(listening_at(at)), target_(std::move(target)), thread_([this] { serve(); }) {}
  ~Relay() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  std::vector<std::byte> heard() const {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  void serve() {
    for (;;) {
      const UniqueFd program(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!program) return;
      const UniqueFd tpm = connected_to(target_);
      if (!tpm) continue;
      std::thread answers([&] { pass_on(tpm.get(), program.get()); });
      pass_on(program.get(), tpm.get());
      answers.join();
    }
  }

  void pass_on(int from, int to) {
    std::byte buffer[4096];
    for (ssize_t size = 0; (size = ::read(from, buffer, sizeof buffer)) > 0;) {
      {
        const std::lock_guard lock(mutex_);
        heard_.insert(heard_.end(), buffer, buffer + size);
      }
      if (::send(to, buffer, static_cast<size_t>(size), MSG_NOSIGNAL) != size) break;
    }
    ::shutdown(from, SHUT_RDWR);
    ::shutdown(to, SHUT_RDWR);
  }

  UniqueFd listener_;
  const std::string target_;
  mutable std::mutex mutex_;
  std::vector<std::byte> heard_;
  std::thread thread_;
};

TpmWiretap::TpmWiretap(const Swtpm& tpm)
    : folder_(new_folder()),
      commands_(std::make_unique<Relay>(folder_ + "/tap", tpm.socket_path())),
      control_(std::make_unique<Relay>(folder_ + "/tap.ctrl", tpm.socket_path() + ".ctrl")) {}

TpmWiretap::~TpmWiretap() {
  commands_.reset();
  control_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TpmWiretap::tcti() const { return Swtpm::tcti_of(folder_ + "/tap"); }

std::vector<std::byte> TpmWiretap::heard() const {
  std::vector<std::byte> all = commands_->heard();
  const std::vector<std::byte> control = control_->heard();
  all.insert(all.end(), control.begin(), control.end());
  return all;
}

}  // namespace wvds::keystore::testing
