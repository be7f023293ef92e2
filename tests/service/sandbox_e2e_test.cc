// The sandbox of the running service: in force for every thread and for the process of a PKCS#11 module, and in
// nobody's way. What it denies is in platform/linux/sandbox_test.cc.
#include <gtest/gtest.h>
#include <pwd.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "keystore/hsm/testing/soft_token.h"
#include "platform/linux/sandbox.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

using keystore::hsm::testing::kPin;
using keystore::hsm::testing::SoftTokens;
using keystore::hsm::testing::why_no_soft_token;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// unfiltered_threads names the threads of a process that lack a filter or could gain privileges; `threads` counts all.
std::string unfiltered_threads(pid_t pid, size_t& threads) {
  std::string out;
  threads = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    const std::string status = text_of(task.path() / "status");
    ++threads;
    if (status.find("Seccomp:\t2\n") == std::string::npos || status.find("NoNewPrivs:\t1\n") == std::string::npos)
      out += status.substr(0, status.find('\n')) + "; ";
  }
  return out;
}

pid_t only_child_of(pid_t parent) {
  std::istringstream children(
      text_of("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children"));
  pid_t child = 0;
  children >> child;
  return child;
}

// The user by name, so that a reload asks for it.
std::string this_user_by_name() {
  const passwd* const user = getpwuid(getuid());
  return R"({"name": "tester", "user": ")" + std::string(user == nullptr ? "root" : user->pw_name) +
         R"(", "operations": )" + all_operations() + R"(, "rate_limit": {"requests_per_second": 0}})";
}

class SandboxedService : public testing::Test {
 protected:
  void SetUp() override {
    if (!platform::kernel_has_filters()) GTEST_SKIP() << "NOT RUN: this kernel filters no system calls";
  }

  static void reload(Daemon& daemon) {
    daemon.signal(SIGHUP);
    daemon.wait_for_notification("RELOADING=1");
    daemon.wait_for_notification("READY=1");
  }
};

TEST_F(SandboxedService, HasEveryThreadFiltered) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  std::vector<std::unique_ptr<Connection>> clients;
  for (int i = 0; i < 5; ++i) clients.push_back(std::make_unique<Connection>(daemon));
  for (const auto& client : clients) EXPECT_EQ(wvds_ping(client->get()), WVDS_SUCCESS);
  size_t threads = 0;
  EXPECT_EQ(unfiltered_threads(daemon.pid(), threads), "");
  EXPECT_GT(threads, 5u) << "a worker for each client";
  const std::string landlock = std::to_string(platform::landlock_version());
  const std::string files = landlock == "0" ? "\"not in this kernel\"" : "\"Landlock " + landlock + "\"";
  EXPECT_NE(daemon.log().find("sandbox system_calls=filtered files=" + files + " new_privileges=none"),
            std::string::npos)
      << daemon.log();
}

TEST_F(SandboxedService, SaysThatItRunsAsRoot) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  EXPECT_EQ(daemon.log().find("runs as root") != std::string::npos, geteuid() == 0);
}

// Everything that a service does with files and threads after its start.
TEST_F(SandboxedService, DoesItsWork) {
  DaemonOptions options;
  options.clients = this_user_by_name();
  Daemon daemon(options);
  options.sections = "\"metrics\": {\"file\": \"" + daemon.path("metrics") + "\", \"interval_s\": 1},";
  daemon.configure(options);
  ASSERT_TRUE(daemon.start());
  const Connection client(daemon);
  const uint32_t key = make_key(client, WVDS_LIFETIME_PERSISTENT);
  EXPECT_TRUE(reached([&] { return text_of(daemon.path("metrics")).find("wvds_") != std::string::npos; }));
  reload(daemon);
  uint32_t version = 0;
  EXPECT_EQ(wvds_key_rotate(client.get(), &version, nullptr, nullptr, 0, key), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_delete(client.get(), key, 0), WVDS_SUCCESS);
  EXPECT_EQ(Connection(daemon).status(), WVDS_SUCCESS);
  EXPECT_NE(text_of(daemon.path("store/audit/audit.log")).find("key-delete"), std::string::npos);
  EXPECT_EQ(daemon.log().find("can't"), std::string::npos) << daemon.log();
  EXPECT_EQ(daemon.stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(daemon.socket_path()));
  EXPECT_FALSE(std::filesystem::exists(daemon.path("metrics")));
}

TEST_F(SandboxedService, ReadsAConfigurationThatAnEditorReplaced) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  const std::string fresh = daemon.path("new.json");
  std::filesystem::copy_file(daemon.config_path(), fresh);
  std::filesystem::rename(fresh, daemon.config_path());
  reload(daemon);
  EXPECT_NE(daemon.log().find("configuration reloaded"), std::string::npos) << daemon.log();
}

class SandboxedModule : public SandboxedService {
 protected:
  void SetUp() override {
    SandboxedService::SetUp();
    if (IsSkipped()) return;
    if (const std::string why = why_no_soft_token(); !why.empty()) GTEST_SKIP() << why;
    tokens_ = std::make_unique<SoftTokens>();
    tokens_->add("gateway");
    DaemonOptions options;
    options.protector = R"("protector": "hsm", "hsm": {"token": "gateway", "module": ")" + SoftTokens::module() +
                        R"(", "pin_file": ")" + tokens_->write("pin", kPin) + "\"}";
    daemon_ = std::make_unique<Daemon>(options);
  }

  std::unique_ptr<SoftTokens> tokens_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(SandboxedModule, HasAFilterOfItsOwn) {
  ASSERT_TRUE(daemon_->start());
  const pid_t worker = only_child_of(only_child_of(daemon_->pid()));
  ASSERT_GT(worker, 0);
  size_t threads = 0;
  EXPECT_EQ(unfiltered_threads(worker, threads), "");
  EXPECT_GE(threads, 1u);
  EXPECT_EQ(unfiltered_threads(daemon_->pid(), threads), "");
}

}  // namespace
}  // namespace wvds::test
