#include "est_service/linux/command_runner.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace wvds::est_service {
namespace {

constexpr std::chrono::seconds kRunnerWatchdog{60};

class CommandRunnerTest : public testing::Test {
 protected:
  CommandRunnerTest() {
    std::string pattern = testing::TempDir() + "command_runner_XXXXXX";
    folder_ = mkdtemp(pattern.data());
    est_.certificates.resize(2);
    est_.certificates[0].name = "device";
    est_.certificates[1].name = "gateway";
  }
  ~CommandRunnerTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<CommandRunner> start(const std::string& script) {
    est_.after_renewal = {{"/bin/sh", "-c", script}, 3600};
    auto runner = CommandRunner::start(est_);
    EXPECT_TRUE(runner.has_value());
    return std::move(*runner);
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  std::string content(const std::string& name) const {
    std::ifstream file(path(name));
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  // The command's own process, as soon as it has written its number.
  pid_t command() const {
    const auto end = std::chrono::steady_clock::now() + kRunnerWatchdog;
    while (!content("pid").ends_with("\n")) {
      if (std::chrono::steady_clock::now() > end) return -1;
      std::this_thread::yield();
    }
    return std::stoi(content("pid"));
  }

  std::string hanging() const {
    return "echo $$ > " + path("new") + "; mv " + path("new") + " " + path("pid") + "; sleep 3600";
  }

  std::string folder_;
  config::Est est_;
};

// has_ended waits for the end of a process that need not be this one's child.
bool has_ended(int process) {
  pollfd end{process, POLLIN, 0};
  return poll(&end, 1, static_cast<int>(std::chrono::milliseconds(kRunnerWatchdog).count())) == 1;
}

platform::UniqueFd watched(pid_t pid) { return platform::UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))); }

TEST_F(CommandRunnerTest, RunsTheCommandForTheCertificateThatIsNamed) {
  const auto runner = start("echo $WVDS_EST_CERTIFICATE >> " + path("names"));
  runner->run("gateway", -1);
  EXPECT_EQ(content("names"), "gateway\n");
  runner->run("device", -1);
  EXPECT_EQ(content("names"), "gateway\ndevice\n");
}

TEST_F(CommandRunnerTest, RunsNothingForACertificateThatIsNotConfigured) {
  const auto runner = start("echo $WVDS_EST_CERTIFICATE >> " + path("names"));
  runner->run("device; reboot", -1);
  runner->run("device", -1);
  EXPECT_EQ(content("names"), "device\n");
}

TEST_F(CommandRunnerTest, StartsNoProcessWithoutACommand) {
  const auto runner = CommandRunner::start(est_);
  ASSERT_TRUE(runner.has_value());
  (*runner)->run("device", -1);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(CommandRunnerTest, EndsTheCommandWhenTheServiceStopsAndRunsTheNextOne) {
  const auto runner = start(hanging());
  const platform::UniqueFd stop(eventfd(0, EFD_CLOEXEC));
  platform::UniqueFd first;
  std::thread stopper([&] {
    first = watched(command());
    const uint64_t one = 1;
    EXPECT_EQ(write(stop.get(), &one, sizeof one), 8);
  });
  runner->run("device", stop.get());
  stopper.join();
  EXPECT_TRUE(has_ended(first.get()));
  unlink(path("pid").c_str());
  runner->run("gateway", stop.get());  // ended as well: the service is still stopping
}

TEST_F(CommandRunnerTest, KillsTheCommandWhenTheServiceIsKilled) {
  const pid_t service = fork();
  ASSERT_GE(service, 0);
  if (service == 0) {
    start(hanging())->run("device", -1);
    _exit(0);
  }
  const platform::UniqueFd process = watched(command());
  ASSERT_EQ(kill(service, SIGKILL), 0);
  EXPECT_EQ(waitpid(service, nullptr, 0), service);
  EXPECT_TRUE(has_ended(process.get()));
}

TEST_F(CommandRunnerTest, SaysThatItsProcessIsGone) {
  const auto runner = start("true");
  std::ifstream children("/proc/self/task/" + std::to_string(getpid()) + "/children");
  pid_t process = 0;
  if (!(children >> process)) GTEST_SKIP() << "NOT RUN: this kernel does not list a process's children";
  ASSERT_EQ(kill(process, SIGKILL), 0);
  ASSERT_TRUE(has_ended(watched(process).get()));
  runner->run("device", -1);  // and does not hang
}

}  // namespace
}  // namespace wvds::est_service
