// An engine (docs/engines.md) in the real service: who serves, what clients are told, and what does not start.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <vector>

#include "support/daemon.h"

namespace wvds::test {
namespace {

using Octets = std::vector<uint8_t>;

constexpr const char* kTitle = "WvdS Test Provider 1.0";
constexpr const char* kPreferred = R"({"mode": "preferred"})";

class Engine : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::copy_file(WVDS_TEST_PROVIDER, module()); }

  // The module lies beside the store. Where a file of its name and ".uses" is there, it notes what it does.
  std::string module() const { return daemon_.path("engine.so"); }
  void take_notes() const { std::ofstream(module() + ".uses").flush(); }
  std::set<std::string> notes() const {
    std::ifstream file(module() + ".uses");
    std::set<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.insert(line);
    return lines;
  }

  DaemonOptions with_engine(const std::string& provider = "wvdstest") const {
    DaemonOptions options;
    options.fips = kPreferred;
    options.sections = R"("engines": [{"module": ")" + module() +
                       R"(", "algorithms": ["ML-DSA-65", "ML-KEM-768"], "properties": "provider=)" + provider + "\"}],";
    return options;
  }
  static DaemonOptions without_engine() {
    DaemonOptions options;
    options.fips = kPreferred;
    return options;
  }

  bool start(const DaemonOptions& options) {
    daemon_.configure(options);
    return daemon_.start();
  }

  // refusal is what the service says when it does not start with such an engine.
  std::string refusal(const DaemonOptions& options) {
    daemon_.configure(options);
    const Outcome run = run_service({"--config", daemon_.config_path()});
    EXPECT_EQ(run.exit_code, 1) << run.output;
    EXPECT_NE(run.output.find(module()), std::string::npos) << run.output;
    return run.output;
  }

  static Octets sign(wvds_session* session, uint32_t key) {
    Octets signature(WVDS_MLDSA_SIGNATURE_SIZE(WVDS_MLDSA_65));
    size_t length = 0;
    EXPECT_EQ(wvds_mldsa_sign(session, signature.data(), &length, signature.size(), key, kMessage, sizeof kMessage,
                              kContext, sizeof kContext, 0),
              WVDS_SUCCESS);
    return signature;
  }
  static wvds_status verify(wvds_session* session, uint32_t key, const Octets& signature) {
    const wvds_public_key by_id = wvds_public_key_by_id(key);
    return wvds_mldsa_verify(session, &by_id, signature.data(), signature.size(), kMessage, sizeof kMessage, kContext,
                             sizeof kContext, 0);
  }

  struct Encapsulated {
    Octets secret = Octets(WVDS_MLKEM_SHARED_SECRET_SIZE);
    Octets ciphertext = Octets(WVDS_MLKEM_CIPHERTEXT_SIZE(WVDS_MLKEM_768));
  };
  static Encapsulated encapsulate(wvds_session* session, uint32_t key) {
    Encapsulated out;
    const wvds_public_key by_id = wvds_public_key_by_id(key);
    size_t length = 0;
    EXPECT_EQ(
        wvds_mlkem_encaps(session, out.secret.data(), out.ciphertext.data(), &length, out.ciphertext.size(), &by_id),
        WVDS_SUCCESS);
    return out;
  }
  static Octets decapsulate(wvds_session* session, uint32_t key, const Octets& ciphertext) {
    Octets secret(WVDS_MLKEM_SHARED_SECRET_SIZE);
    EXPECT_EQ(wvds_mlkem_decaps(session, secret.data(), key, ciphertext.data(), ciphertext.size()), WVDS_SUCCESS);
    return secret;
  }

  static constexpr uint8_t kMessage[] = {1, 2, 3};
  static constexpr uint8_t kContext[] = {'m', 'e', 't', 'e', 'r'};
  Daemon daemon_;
};

TEST_F(Engine, ServesTheAlgorithmsItWasChosenFor) {
  ASSERT_TRUE(start(with_engine()));
  const Connection client(daemon_);
  const uint32_t dsa = make_key(client, WVDS_LIFETIME_PERSISTENT, WVDS_MLDSA_65, 0);
  const uint32_t kem =
      make_key(client, WVDS_LIFETIME_PERSISTENT, WVDS_MLKEM_768, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW);
  take_notes();
  EXPECT_EQ(verify(client.get(), dsa, sign(client.get(), dsa)), WVDS_SUCCESS);
  EXPECT_TRUE(notes().contains("sign"));
  EXPECT_TRUE(notes().contains("verify"));
  const Encapsulated sent = encapsulate(client.get(), kem);
  EXPECT_EQ(decapsulate(client.get(), kem, sent.ciphertext), sent.secret);
  EXPECT_TRUE(notes().contains("encapsulate"));
  EXPECT_TRUE(notes().contains("decapsulate"));
}

TEST_F(Engine, IsNamedInStatusAndLog) {
  ASSERT_TRUE(start(with_engine()));
  const Connection client(daemon_);
  wvds_service_state state{};
  ASSERT_EQ(wvds_status_get(client.get(), &state), WVDS_SUCCESS);
  EXPECT_EQ(state.fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE)) << "the rest is inside";
  EXPECT_EQ(state.memory_is_locked, 0u);
  const std::string provider = state.provider, warnings = state.warnings;
  EXPECT_NE(provider.find("FIPS"), std::string::npos) << provider;
  EXPECT_NE(provider.find(std::string("; ML-DSA-65, ML-KEM-768 by ") + kTitle), std::string::npos) << provider;
  EXPECT_NE(warnings.find(std::string("ML-DSA-65, ML-KEM-768 by ") + kTitle + ": outside FIPS"), std::string::npos)
      << warnings;
  EXPECT_NE(warnings.find("keys of an engine are in memory of its own"), std::string::npos) << warnings;
  const std::string log = daemon_.log();
  EXPECT_NE(log.find("engine algorithms=\"ML-DSA-65, ML-KEM-768\""), std::string::npos) << log;
  EXPECT_NE(log.find(module()), std::string::npos) << log;
}

TEST_F(Engine, IsToldOfByCapabilitiesAndKeyInfo) {
  ASSERT_TRUE(start(with_engine()));
  const Connection client(daemon_);
  wvds_capability_list offer{};
  ASSERT_EQ(wvds_capabilities(client.get(), &offer), WVDS_SUCCESS);
  EXPECT_EQ(offer.num_algorithms, 9u);
  for (uint32_t i = 0; i < offer.num_algorithms; ++i) {
    const wvds_algorithm_offer& algorithm = offer.algorithms[i];
    const bool by_engine = algorithm.algorithm == WVDS_MLDSA_65 || algorithm.algorithm == WVDS_MLKEM_768;
    EXPECT_EQ(algorithm.is_inside_fips, by_engine ? 0u : 1u) << algorithm.provider;
    EXPECT_EQ(std::strcmp(algorithm.provider, kTitle) == 0, by_engine) << algorithm.provider;
  }
  wvds_key_details details{};
  ASSERT_EQ(wvds_key_info(client.get(), &details, make_key(client, WVDS_LIFETIME_PERSISTENT, WVDS_MLDSA_65, 0)),
            WVDS_SUCCESS);
  EXPECT_EQ(details.is_inside_fips, 0u);
  EXPECT_STREQ(details.provider, kTitle);
  ASSERT_EQ(wvds_key_info(client.get(), &details, make_key(client, WVDS_LIFETIME_PERSISTENT, WVDS_MLDSA_87, 0)),
            WVDS_SUCCESS);
  EXPECT_EQ(details.is_inside_fips, 1u);
  EXPECT_NE(std::strstr(details.provider, "FIPS"), nullptr) << details.provider;
}

// Seeds are what is stored: a key does not mind who serves.
TEST_F(Engine, SharesItsKeysWithOpenSslsOwnProvider) {
  ASSERT_TRUE(start(with_engine()));
  uint32_t dsa = 0, kem = 0;
  Octets by_engine;
  Encapsulated sent_by_engine;
  {
    const Connection client(daemon_);
    dsa = make_key(client, WVDS_LIFETIME_PERSISTENT, WVDS_MLDSA_65, 0);
    kem = make_key(client, WVDS_LIFETIME_PERSISTENT, WVDS_MLKEM_768, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW);
    by_engine = sign(client.get(), dsa);
    sent_by_engine = encapsulate(client.get(), kem);
  }
  EXPECT_EQ(daemon_.stop(), 0);

  ASSERT_TRUE(start(without_engine()));
  Octets by_openssl;
  Encapsulated sent_by_openssl;
  {
    const Connection client(daemon_);
    wvds_key_details details{};
    ASSERT_EQ(wvds_key_info(client.get(), &details, dsa), WVDS_SUCCESS);
    EXPECT_EQ(details.is_inside_fips, 1u);
    EXPECT_EQ(verify(client.get(), dsa, by_engine), WVDS_SUCCESS);
    EXPECT_EQ(decapsulate(client.get(), kem, sent_by_engine.ciphertext), sent_by_engine.secret);
    by_openssl = sign(client.get(), dsa);
    sent_by_openssl = encapsulate(client.get(), kem);
  }
  EXPECT_EQ(daemon_.stop(), 0);

  ASSERT_TRUE(start(with_engine()));
  take_notes();
  const Connection client(daemon_);
  EXPECT_EQ(verify(client.get(), dsa, by_openssl), WVDS_SUCCESS);
  EXPECT_EQ(decapsulate(client.get(), kem, sent_by_openssl.ciphertext), sent_by_openssl.secret);
  EXPECT_TRUE(notes().contains("verify"));
  EXPECT_TRUE(notes().contains("decapsulate"));
}

TEST_F(Engine, IsRefusedWhenItsKeysAreOthersThanOpenSsls) {
  const std::string said = refusal(with_engine("wvdsliar"));
  EXPECT_NE(said.find("ML-DSA-65: a known seed gives another public key"), std::string::npos) << said;
}

TEST_F(Engine, IsRefusedWhenAFunctionIsMissing) {
  const std::string said = refusal(with_engine("wvdsincomplete"));
  EXPECT_NE(said.find("ML-DSA-65: signing failed"), std::string::npos) << said;
}

TEST_F(Engine, IsRefusedWhenOthersCanWriteIt) {
  ASSERT_EQ(chmod(module().c_str(), 0757), 0);
  const std::string said = refusal(with_engine());
  EXPECT_NE(said.find("everybody can write it"), std::string::npos) << said;
}

TEST_F(Engine, IsRefusedWhenItIsNotThere) {
  const DaemonOptions options = with_engine();
  std::filesystem::remove(module());
  const std::string said = refusal(options);
  EXPECT_NE(said.find("can't be found"), std::string::npos) << said;
}

TEST_F(Engine, IsRefusedByTheConfigWhereFipsIsRequired) {
  DaemonOptions options = with_engine();
  options.fips = R"("required")";
  daemon_.configure(options);
  const Outcome run = run_service({"--config", daemon_.config_path(), "--check-config"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_NE(run.output.find("engines: contradicts \"fips\": \"required\""), std::string::npos) << run.output;
}

}  // namespace
}  // namespace wvds::test
