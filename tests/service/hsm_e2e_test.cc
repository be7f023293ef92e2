// The service with its store's key in a token: SoftHSM in the helper process.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "keystore/hsm/testing/soft_token.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

using keystore::hsm::testing::kPin;
using keystore::hsm::testing::SoftTokens;
using keystore::hsm::testing::why_no_soft_token;

// parent_of is 0 for a process that is gone, also for one that nobody has waited for yet.
pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line) || line.rfind(')') == std::string::npos) return 0;
  const std::string rest = line.substr(line.rfind(')') + 2);
  return rest[0] == 'Z' ? 0 : std::stoi(rest.substr(2));
}

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> out;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const pid_t pid = std::stoi(name);
    if (parent_of(pid) == parent) out.push_back(pid);
  }
  return out;
}

class HsmService : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = why_no_soft_token(); !why.empty()) GTEST_SKIP() << why;
    tokens_ = std::make_unique<SoftTokens>();
    tokens_->add("gateway");
    tokens_->order("");
    pin_file_ = tokens_->write("pin", kPin);
    daemon_ = std::make_unique<Daemon>(options());
  }

  DaemonOptions options() const {
    DaemonOptions out;
    out.protector = R"("protector": "hsm", "hsm": {"token": "gateway", "module": ")" + SoftTokens::faulty_module() +
                    R"(", "pin_file": ")" + pin_file_ + "\"}";
    return out;
  }

  // The spawner and its worker
  std::vector<pid_t> helpers() const {
    std::vector<pid_t> out = children_of(daemon_->pid());
    EXPECT_EQ(out.size(), 1u);
    for (const pid_t worker : out.empty() ? std::vector<pid_t>{} : children_of(out[0])) out.push_back(worker);
    return out;
  }

  static bool are_gone(const std::vector<pid_t>& processes) {
    return reached([&] { return std::ranges::all_of(processes, [](pid_t pid) { return parent_of(pid) == 0; }); });
  }

  static wvds_status encrypt(const Connection& client, uint32_t key) {
    uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(4)];
    size_t size = 0;
    return wvds_aes_encrypt(client.get(), sealed, &size, sizeof sealed, key, reinterpret_cast<const uint8_t*>("text"),
                            4, nullptr, 0);
  }

  std::unique_ptr<SoftTokens> tokens_;
  std::string pin_file_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(HsmService, FindsItsKeysAfterARestart) {
  uint32_t key = 0;
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(daemon_->start());
    const Connection client(*daemon_);
    if (round == 0) key = make_key(client, WVDS_LIFETIME_PERSISTENT);
    EXPECT_EQ(encrypt(client, key), WVDS_SUCCESS);
    EXPECT_EQ(daemon_->stop(), 0);
  }
}

TEST_F(HsmService, SaysWhereTheStoresKeyIs) {
  ASSERT_TRUE(daemon_->start());
  const Connection client(*daemon_);
  wvds_key_details info{};
  ASSERT_EQ(wvds_key_info(client.get(), &info, make_key(client, WVDS_LIFETIME_PERSISTENT)), WVDS_SUCCESS);
  EXPECT_EQ(info.place, static_cast<uint32_t>(WVDS_PLACE_HSM_WRAPPED));
}

TEST_F(HsmService, DoesNotStartWithAWrongPin) {
  tokens_->write("pin", "7654321");
  const Outcome run = run_service({"--config", daemon_->config_path()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.output.find("the token's PIN is wrong"), std::string::npos) << run.output;
  EXPECT_EQ(run.output.find("7654321"), std::string::npos) << run.output;
}

TEST_F(HsmService, DoesNotStartWithAModuleThatCrashes) {
  tokens_->order("C_Initialize crash");
  const Outcome run = run_service({"--config", daemon_->config_path()});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.output.find("the module crashed"), std::string::npos) << run.output;
}

TEST_F(HsmService, ServesOnWhenItsHelperIsKilled) {
  ASSERT_TRUE(daemon_->start());
  const Connection client(*daemon_);
  const uint32_t key = make_key(client, WVDS_LIFETIME_PERSISTENT);
  for (const pid_t helper : helpers()) ::kill(helper, SIGKILL);
  EXPECT_EQ(encrypt(client, key), WVDS_SUCCESS);
  EXPECT_EQ(encrypt(client, make_key(client, WVDS_LIFETIME_PERSISTENT)), WVDS_SUCCESS);
  EXPECT_EQ(daemon_->stop(), 0);
}

TEST_F(HsmService, LeavesNoHelperBehind) {
  for (const bool is_killed : {false, true}) {
    ASSERT_TRUE(daemon_->start());
    const auto processes = helpers();
    EXPECT_EQ(processes.size(), 2u);
    if (is_killed) {
      daemon_->kill();
    } else {
      EXPECT_EQ(daemon_->stop(), 0);
    }
    EXPECT_TRUE(are_gone(processes)) << (is_killed ? "killed" : "stopped");
  }
}

TEST_F(HsmService, LeavesNoHelperBehindWhoseModuleHangs) {
  tokens_->order("C_OpenSession hang");
  const pid_t service = ::getpid();
  EXPECT_TRUE(children_of(service).empty());
  std::thread waiting([this] { daemon_->try_start(); });
  pid_t daemon = 0;
  EXPECT_TRUE(reached([&] {
    const auto found = children_of(service);
    daemon = found.empty() ? 0 : found[0];
    return daemon != 0 && !children_of(daemon).empty() && !children_of(children_of(daemon)[0]).empty();
  }));
  std::vector<pid_t> processes = children_of(daemon);
  processes.push_back(children_of(processes[0])[0]);
  ::kill(daemon, SIGKILL);
  waiting.join();
  EXPECT_TRUE(are_gone(processes));
}

}  // namespace
}  // namespace wvds::test
