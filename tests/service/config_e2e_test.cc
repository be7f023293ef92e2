// The program's command line and what it says about a wrong config.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <regex>

#include "support/daemon.h"

namespace wvds::test {
namespace {

// A Daemon that is never started: its folder and config are what is used.
class Program : public testing::Test {
 protected:
  Outcome check(const std::string& config) {
    std::ofstream(daemon_.config_path()) << config;
    return run_service({"--config", daemon_.config_path(), "--check-config"});
  }
  // shown is what the program says of the config, with the path of the file cut off.
  std::string shown(const std::string& config) {
    const Outcome run = check(config);
    EXPECT_EQ(run.exit_code, 2);
    std::string output = run.output;
    for (size_t at = 0; (at = output.find(daemon_.folder() + "/", at)) != std::string::npos;)
      output.erase(at, daemon_.folder().size() + 1);
    return output;
  }

  Daemon daemon_;
};

TEST_F(Program, SaysThatAGoodConfigIsOk) {
  const Outcome run = run_service({"--check-config", "--config", daemon_.config_path()});
  EXPECT_EQ(run.exit_code, 0);
  EXPECT_EQ(run.output, "ok\n");
}

TEST_F(Program, SaysEverythingThatIsWrongWithABadOne) {
  EXPECT_EQ(
      shown(R"({
  "store": {"path": "/s", "protector": "tpm"},
  "clients": [
    {"name": "gateway", "user": "no-such-user-here", "operations": ["aes-encript"]}
  ],
  "sessions": {"slots": 1000},
  "nonces": "random"
})"),
      "config.json:2: store.tpm: is missing: the protector's settings are needed here\n"
      "config.json:4: clients[0].user: there is no user \"no-such-user-here\" on this machine\n"
      "config.json:4: clients[0].operations[0]: \"aes-encript\" is not an operation; did you mean \"aes-encrypt\"?\n"
      "config.json:6: sessions.slots: must be a whole number from 1 to 64, not 1000\n"
      "config.json:7: nonces: unknown key; did you mean \"nonce\"?\n");
}

TEST_F(Program, SaysWhereAFileIsNoJson) {
  EXPECT_EQ(shown("{\n  \"store\": }\n"),
            "config.json:2: is not JSON: syntax error while parsing value - unexpected '}'; expected '[', '{', or a "
            "literal\n");
}

TEST_F(Program, DoesNotStartWithABadConfig) {
  std::ofstream(daemon_.config_path()) << "{}";
  const Outcome run = run_service({"--config", daemon_.config_path()});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_NE(run.output.find("config.json:1: store: is missing"), std::string::npos);
}

TEST_F(Program, RefusesAConfigThatEverybodyMayWrite) {
  ASSERT_EQ(chmod(daemon_.config_path().c_str(), 0666), 0);
  const Outcome run = run_service({"--config", daemon_.config_path(), "--check-config"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.output, daemon_.config_path() + ": can be written by everybody; chmod o-w it\n");
}

TEST_F(Program, SaysThatAFileIsMissing) {
  const Outcome run = run_service({"--config", daemon_.path("none")});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_EQ(run.output, daemon_.path("none") + ": can't be opened: No such file or directory\n");
}

TEST_F(Program, TellsItsVersionAndItsOptions) {
  const std::string said = run_service({"--version"}).output;
  const std::regex expected(std::string("wvds_crypto_service ") + wvds_library_version() +
                            "\nOpenSSL [0-9.]+ .*\nOpenSSL FIPS Provider [0-9.]+\n");
  EXPECT_TRUE(std::regex_match(said, expected)) << said;
  const Outcome help = run_service({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_NE(help.output.find("--check-config"), std::string::npos);
}

TEST_F(Program, RefusesAnUnknownOption) { EXPECT_EQ(run_service({"--daemonize"}).exit_code, 2); }

}  // namespace
}  // namespace wvds::test
