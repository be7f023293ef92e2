#include "est_service/linux/command.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "base/log.h"

namespace wvds::est_service {
namespace {

std::string g_logged;

class RunCommand : public testing::Test {
 protected:
  RunCommand() {
    g_logged.clear();
    set_log_sink([](const LogRecord& record) { g_logged += std::string(record.line) + "\n"; });
    char name[] = "/tmp/wvds-command.XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~RunCommand() override { (void)!system(("rm -rf " + folder_).c_str()); }

  std::string content(const std::string& name) const {
    std::ifstream file(folder_ + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string folder_;
};

config::EstCommand shell(const std::string& script, uint32_t timeout_s = 60) {
  return {{"/bin/sh", "-c", script}, timeout_s};
}

TEST_F(RunCommand, TellsTheCertificateAndNothingElseOfItsEnvironment) {
  setenv("CREDENTIALS_DIRECTORY", "/secret", 1);
  run_command(shell("env > " + folder_ + "/environment"), "device");
  const std::string environment = content("environment");
  EXPECT_NE(environment.find("WVDS_EST_CERTIFICATE=device\n"), std::string::npos);
  EXPECT_EQ(environment.find("CREDENTIALS_DIRECTORY"), std::string::npos);
  EXPECT_NE(g_logged.find("done"), std::string::npos) << g_logged;
}

TEST_F(RunCommand, SaysHowItFailed) {
  run_command(shell("exit 7"), "device");
  EXPECT_NE(g_logged.find("exit code 7"), std::string::npos) << g_logged;
  run_command(shell("kill -TERM $$"), "device");
  EXPECT_NE(g_logged.find("signal"), std::string::npos) << g_logged;
  run_command({{"/no/such/program"}, 1}, "device");
  EXPECT_NE(g_logged.find("/no/such/program"), std::string::npos) << g_logged;
}

TEST_F(RunCommand, EndsOneThatHangsWithAllItStarted) {
  run_command(shell("sleep 1000 & echo $! > " + folder_ + "/child; wait", 1), "device");
  EXPECT_NE(g_logged.find("timeout"), std::string::npos) << g_logged;
  const pid_t child = std::atoi(content("child").c_str());
  ASSERT_GT(child, 0);
  // The child was killed with its group; whoever adopts it reaps it.
  for (int i = 0; i < 6000 && kill(child, 0) == 0; ++i) {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string number, name, state;
    if (status >> number >> name >> state; state == "Z") return;
    usleep(10'000);
  }
  EXPECT_NE(kill(child, 0), 0);
}

TEST_F(RunCommand, DoesNothingWithoutACommand) {
  run_command({}, "device");
  EXPECT_EQ(g_logged, "");
}

}  // namespace
}  // namespace wvds::est_service
