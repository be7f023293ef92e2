#include "keystore/hsm/linux/helper_process.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "keystore/hsm/helper_messages.h"
#include "platform/clock.h"

namespace wvds::keystore::hsm {
namespace {

constexpr std::chrono::seconds kWatchdog{60};

// children_of finds processes by their parent, as /proc/PID/stat names it.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string line;
    if (!std::getline(file, line) || line.rfind(')') == std::string::npos) continue;
    if (std::stoi(line.substr(line.rfind(')') + 4)) == parent) out.push_back(std::stoi(line));
  }
  return out;
}

bool is_gone(pid_t pid) {
  const auto watchdog = platform::monotonic_now() + kWatchdog;
  while (::kill(pid, 0) == 0) {
    if (platform::monotonic_now() > watchdog) return false;
    ::usleep(1000);
  }
  return true;
}

// has_ended counts a process that its new parent has not waited for yet.
bool has_ended(pid_t pid) {
  const auto watchdog = platform::monotonic_now() + kWatchdog;
  for (;;) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(file, line) || line[line.rfind(')') + 2] == 'Z') return true;
    if (platform::monotonic_now() > watchdog) return false;
    ::usleep(1000);
  }
}

class HelperProcess : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = start_helper(kWatchdog);
    ASSERT_TRUE(started.has_value()) << started.error().detail;
    helper_ = std::move(*started);
    ASSERT_TRUE(helper_->restart().has_value());
    ASSERT_TRUE(ask().has_value());  // it has begun then
    ASSERT_EQ(children_of(::getpid()).size(), 1u);
    spawner_ = children_of(::getpid())[0];
    worker_ = only_worker();
  }

  pid_t only_worker() {
    const auto found = children_of(spawner_);
    EXPECT_EQ(found.size(), 1u);
    return found.empty() ? 0 : found[0];
  }

  // A request that the worker answers without a module: that nothing is open.
  Result<WipedBytes> ask() {
    return helper_->exchange(Message{static_cast<uint8_t>(Request::kLogin), {}}.encode().expose());
  }

  std::unique_ptr<Helper> helper_;
  pid_t spawner_ = 0;
  pid_t worker_ = 0;
};

TEST_F(HelperProcess, AnswersAndEndsWithItsOwner) {
  EXPECT_TRUE(ask().has_value());
  helper_.reset();
  EXPECT_TRUE(children_of(::getpid()).empty());
  EXPECT_TRUE(is_gone(worker_));
}

TEST_F(HelperProcess, IsStartedAgainAfterItWasKilled) {
  for (int round = 0; round < 5; ++round) {
    ASSERT_EQ(::kill(only_worker(), SIGKILL), 0);
    const auto answer = ask();
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().status, Status::kDisconnected);
    ASSERT_TRUE(helper_->restart().has_value());
    EXPECT_TRUE(ask().has_value());
  }
}

TEST_F(HelperProcess, ReapsAWorkerThatEndedWhileNobodyAsks) {
  ASSERT_EQ(::kill(worker_, SIGKILL), 0);
  EXPECT_TRUE(is_gone(worker_)) << "a zombie is still there";
}

TEST_F(HelperProcess, HasNoSecondWorkerAfterARestart) {
  ASSERT_TRUE(helper_->restart().has_value());
  EXPECT_TRUE(is_gone(worker_));
  EXPECT_NE(only_worker(), worker_);
}

TEST_F(HelperProcess, TakesAStoppedWorkerForOneThatHangs) {
  auto quick = start_helper(std::chrono::milliseconds(300));
  ASSERT_TRUE(quick.has_value());
  helper_ = std::move(*quick);
  const auto watchdog = platform::monotonic_now() + kWatchdog;
  while (!helper_->restart()) ASSERT_LT(platform::monotonic_now(), watchdog);
  spawner_ = children_of(::getpid())[0];
  ASSERT_EQ(::kill(only_worker(), SIGSTOP), 0);
  const auto answer = ask();
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().status, Status::kTimeout);
}

TEST_F(HelperProcess, SaysThatTheSpawnerIsGone) {
  ASSERT_EQ(::kill(spawner_, SIGKILL), 0);
  EXPECT_TRUE(has_ended(worker_)) << "PR_SET_PDEATHSIG";
  const auto again = helper_->restart();
  ASSERT_FALSE(again.has_value());
  EXPECT_NE(again.error().detail.find("restart this one"), std::string::npos);
}

TEST_F(HelperProcess, LeavesStopsToItsOwner) {
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    ASSERT_EQ(::kill(worker_, number), 0);
    ASSERT_EQ(::kill(spawner_, number), 0);
  }
  EXPECT_TRUE(ask().has_value());
}

TEST_F(HelperProcess, CanNotBeReadByOthersOfItsUser) {
  for (const pid_t pid : {spawner_, worker_}) {
    std::ifstream limits("/proc/" + std::to_string(pid) + "/limits");
    std::string line;
    while (std::getline(limits, line) && !line.starts_with("Max core file size")) {
    }
    EXPECT_NE(line.find(" 0 "), std::string::npos) << line;
    struct stat facts{};
    ASSERT_EQ(::stat(("/proc/" + std::to_string(pid) + "/mem").c_str(), &facts), 0);
    EXPECT_EQ(facts.st_uid, 0u) << "undumpable: its files belong to root";
  }
}

TEST_F(HelperProcess, HoldsNoDescriptorOfItsOwner) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT RUN: only root can look at an undumpable process's descriptors";
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(worker_) + "/fd"))
    EXPECT_LE(std::stoi(entry.path().filename()), 3) << entry.path();
}

TEST(HelperProgram, DoesNothingWhenSomebodyElseStartsIt) {
  const std::string command =
      "'" + std::filesystem::read_symlink("/proc/self/exe").string() + "' --pkcs11-helper-worker 3<&- 2> /dev/null";
  const int status = std::system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 2);
}

}  // namespace
}  // namespace wvds::keystore::hsm
