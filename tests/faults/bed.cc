#include "faults/bed.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <sstream>

namespace wvds::test {
namespace {

std::string read_to_end(int file) {
  std::string text;
  char buffer[4096];
  for (ssize_t size = 0; (size = read(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<size_t>(size));
  return text;
}

int exit_code_of(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const Octets kAad = {'f', 'a', 'u', 'l', 't', 's'};

}  // namespace

bool is_long() { return std::getenv("WVDS_LONG") != nullptr; }

int rounds(int in_short, int in_long) {
  if (!is_long()) return in_short;
  const int given = std::atoi(std::getenv("WVDS_LONG"));
  return given > 1 ? given : in_long;
}

std::mt19937_64 new_random() {
  const char* given = std::getenv("WVDS_SEED");
  const uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "seed " << seed << " (WVDS_SEED repeats it)\n";
  return std::mt19937_64(seed);
}

void moment_within(std::mt19937_64& random, std::chrono::microseconds longest) {
  usleep(static_cast<useconds_t>(random() % static_cast<uint64_t>(longest.count())));
}

Outcome run_tool(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), WVDS_TOOL);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int ends[2] = {-1, -1};
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execv(argv[0], argv.data());
    _exit(127);
  }
  close(ends[1]);
  Outcome run;
  run.output = read_to_end(ends[0]);
  close(ends[0]);
  run.exit_code = exit_code_of(pid);
  return run;
}

void expect_whole_store(const Daemon& daemon, const std::function<bool(uint32_t key)>& was_deleted) {
  const Outcome looked = run_tool({"store", "verify", "--config", daemon.config_path()});
  EXPECT_LE(static_cast<unsigned>(looked.exit_code), 1u) << looked.output;
  std::istringstream lines(looked.output);
  int faults = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("k-") && !line.starts_with("header-") && !line.starts_with("index-")) continue;
    ++faults;
    EXPECT_TRUE(line.find("missing, though the index lists it") != line.npos &&
                was_deleted(static_cast<uint32_t>(std::strtoul(line.c_str() + 2, nullptr, 16))))
        << looked.output;
  }
  EXPECT_EQ(looked.exit_code, faults == 0 ? 0 : 1) << looked.output;
}

void expect_whole_log(const Daemon& daemon) {
  const Outcome looked =
      run_tool({"--socket", daemon.socket_path(), "audit", "verify", "--config", daemon.config_path()});
  EXPECT_EQ(looked.exit_code, 0) << looked.output;
}

FaultyDaemon::FaultyDaemon(DaemonOptions options) {
  file_ = (std::filesystem::temp_directory_path() / "wvds-faults-XXXXXX").string();
  const int file = mkostemp(file_.data(), O_CLOEXEC);
  EXPECT_EQ(ftruncate(file, sizeof(wvds_fault_controls)), 0);
  void* mapped = mmap(nullptr, sizeof(wvds_fault_controls), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) std::abort();
  controls_ = static_cast<wvds_fault_controls*>(mapped);
  options.environment.push_back("LD_PRELOAD=" WVDS_FAULT_INJECTION);
  options.environment.push_back(std::string(WVDS_TEST_FAULTS) + "=" + file_);
  daemon_ = std::make_unique<Daemon>(options);
}

FaultyDaemon::~FaultyDaemon() {
  daemon_.reset();
  munmap(controls_, sizeof *controls_);
  unlink(file_.c_str());
}

void FaultyDaemon::fail(wvds_fault_kind kind, int error, int64_t skip, int64_t count) {
  wvds_fault& fault = controls_->faults[kind];
  __atomic_store_n(&fault.error, int64_t{0}, __ATOMIC_SEQ_CST);
  fault = {.error = 0, .skip = skip, .count = count, .seen = 0, .failed = 0};
  __atomic_store_n(&fault.error, int64_t{error}, __ATOMIC_SEQ_CST);
}

int64_t FaultyDaemon::failed() const {
  int64_t all = 0;
  for (const wvds_fault& fault : controls_->faults) all += __atomic_load_n(&fault.failed, __ATOMIC_SEQ_CST);
  return all;
}

int64_t FaultyDaemon::heal() {
  for (wvds_fault& fault : controls_->faults) __atomic_store_n(&fault.error, int64_t{0}, __ATOMIC_SEQ_CST);
  const int64_t all = failed();
  for (wvds_fault& fault : controls_->faults) __atomic_store_n(&fault.failed, int64_t{0}, __ATOMIC_SEQ_CST);
  return all;
}

void FaultyDaemon::set_clock_offset(std::chrono::seconds offset) {
  __atomic_store_n(&controls_->clock_offset_s, int64_t{offset.count()}, __ATOMIC_SEQ_CST);
}

Limit::Limit(pid_t pid, __rlimit_resource resource, rlim_t value) : pid_(pid), resource_(resource) {
  EXPECT_EQ(prlimit(pid_, resource_, nullptr, &before_), 0);
  const rlimit lower{value, before_.rlim_max};
  EXPECT_EQ(prlimit(pid_, resource_, &lower, nullptr), 0);
}

Limit::~Limit() { EXPECT_EQ(prlimit(pid_, resource_, &before_, nullptr), 0); }

bool have_own_mounts() {
  return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

wvds_status generate(wvds_session* session, uint32_t& key, wvds_algorithm algorithm, wvds_lifetime lifetime) {
  wvds_key_template wanted{};
  wanted.algorithm = algorithm;
  wanted.lifetime = lifetime;
  if (algorithm == WVDS_AES_256_GCM) wanted.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  return wvds_key_generate(session, &key, nullptr, nullptr, 0, &wanted);
}

wvds_status encrypt(wvds_session* session, uint32_t key, const Octets& plaintext, Octets& sealed) {
  sealed.resize(WVDS_AES_ENCRYPT_OUTPUT_SIZE(plaintext.size()));
  size_t length = 0;
  const wvds_status status = wvds_aes_encrypt(session, sealed.data(), &length, sealed.size(), key, plaintext.data(),
                                              plaintext.size(), kAad.data(), kAad.size());
  sealed.resize(length);
  return status;
}

wvds_status decrypt(wvds_session* session, uint32_t key, const Octets& sealed, Octets& plaintext) {
  plaintext.resize(WVDS_AES_DECRYPT_OUTPUT_SIZE(sealed.size()));
  size_t length = 0;
  const wvds_status status = wvds_aes_decrypt(session, plaintext.data(), &length, plaintext.size(), key, sealed.data(),
                                              sealed.size(), kAad.data(), kAad.size());
  plaintext.resize(length);
  return status;
}

wvds_status sign(wvds_session* session, uint32_t key, const Octets& message, Octets& signature) {
  signature.resize(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  size_t length = 0;
  const wvds_status status = wvds_mldsa_sign(session, signature.data(), &length, signature.size(), key, message.data(),
                                             message.size(), nullptr, 0, 0);
  signature.resize(length);
  return status;
}

wvds_status verify(wvds_session* session, uint32_t key, const Octets& message, const Octets& signature) {
  const wvds_public_key by_id = wvds_public_key_by_id(key);
  return wvds_mldsa_verify(session, &by_id, signature.data(), signature.size(), message.data(), message.size(), nullptr,
                           0, 0);
}

wvds_status rotate(wvds_session* session, uint32_t key) {
  uint32_t version = 0;
  return wvds_key_rotate(session, &version, nullptr, nullptr, 0, key);
}

}  // namespace wvds::test
