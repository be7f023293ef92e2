// The service with its store's key sealed to a TPM: swtpm beside it.
#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <vector>

#include "keystore/tpm/testing/swtpm.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

namespace fs = std::filesystem;
using keystore::testing::Swtpm;
using keystore::testing::swtpm_missing;
using keystore::testing::TpmWiretap;
using Octets = std::vector<uint8_t>;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class TpmService : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = swtpm_missing(); !missing.empty()) GTEST_SKIP() << "not installed: " << missing;
    tpm_ = std::make_unique<Swtpm>();
    daemon_ = std::make_unique<Daemon>();
    use(R"("pcrs": [7], "rollback_nv_index": "0x01800100")");
  }

  void use(const std::string& settings) { use(settings, tpm_->tcti()); }
  void use(const std::string& settings, const std::string& tcti) {
    DaemonOptions options;
    options.protector = R"("protector": "tpm", "tpm": {"tcti": ")" + tcti + R"(", "auth_file": ")" +
                        daemon_->path("keys/tpm.auth") + "\", " + settings + "}";
    daemon_->configure(options);
  }

  // refused is what the service says that does not start.
  std::string refused() {
    const Outcome run = run_service({"--config", daemon_->config_path()});
    EXPECT_EQ(run.exit_code, 1) << run.output;
    return run.output;
  }

  static Octets encrypt(const Connection& client, uint32_t key) {
    Octets sealed(WVDS_AES_ENCRYPT_OUTPUT_SIZE(4));
    size_t length = 0;
    EXPECT_EQ(wvds_aes_encrypt(client.get(), sealed.data(), &length, sealed.size(), key,
                               reinterpret_cast<const uint8_t*>("text"), 4, nullptr, 0),
              WVDS_SUCCESS);
    return sealed;
  }

  static wvds_status decrypt(const Connection& client, uint32_t key, const Octets& sealed) {
    Octets opened(sealed.size());
    size_t length = 0;
    return wvds_aes_decrypt(client.get(), opened.data(), &length, opened.size(), key, sealed.data(), sealed.size(),
                            nullptr, 0);
  }

  std::unique_ptr<Swtpm> tpm_;
  std::unique_ptr<Daemon> daemon_;
};

TEST_F(TpmService, MakesKeysRestartsAndServesThem) {
  ASSERT_TRUE(daemon_->start());
  uint32_t key = 0;
  Octets sealed;
  {
    const Connection client(*daemon_);
    key = make_key(client, WVDS_LIFETIME_PERSISTENT);
    sealed = encrypt(client, key);
    wvds_key_details details{};
    EXPECT_EQ(wvds_key_info(client.get(), &details, key), WVDS_SUCCESS);
    EXPECT_EQ(details.place, static_cast<uint32_t>(WVDS_PLACE_TPM));
  }
  EXPECT_EQ(daemon_->stop(), 0);
  tpm_->power_off();  // the whole device
  tpm_->start();
  ASSERT_TRUE(daemon_->start());
  const Connection client(*daemon_);
  EXPECT_EQ(decrypt(client, key, sealed), WVDS_SUCCESS);
}

TEST_F(TpmService, DoesNotStartWithoutItsTpmAndSaysSo) {
  ASSERT_TRUE(daemon_->start());
  EXPECT_EQ(daemon_->stop(), 0);
  tpm_->power_off();
  const std::string said = refused();
  EXPECT_TRUE(contains(said, "the TPM could not be reached") && contains(said, "does not answer")) << said;
  EXPECT_FALSE(contains(said, "ERROR:tcti")) << "the libraries write nothing of their own: " << said;
  tpm_->start();
  EXPECT_TRUE(daemon_->start());
}

TEST_F(TpmService, DoesNotStartAfterAnotherBootAndSaysWhichPcrChanged) {
  ASSERT_TRUE(daemon_->start());
  EXPECT_EQ(daemon_->stop(), 0);
  tpm_->extend_pcr(7);
  EXPECT_TRUE(contains(refused(), "changed: sha256 PCR 7"));
  tpm_->power_off();
  tpm_->start();
  EXPECT_TRUE(daemon_->start());
}

TEST_F(TpmService, ServesOnWhenTheTpmGoesWhileItRuns) {
  ASSERT_TRUE(daemon_->start());
  uint32_t key = 0;
  {
    const Connection client(*daemon_);
    const uint32_t before = make_key(client, WVDS_LIFETIME_PERSISTENT);
    tpm_->power_off();
    EXPECT_EQ(decrypt(client, before, encrypt(client, before)), WVDS_SUCCESS);
    key = make_key(client, WVDS_LIFETIME_PERSISTENT);
    EXPECT_EQ(decrypt(client, key, encrypt(client, key)), WVDS_SUCCESS);
    EXPECT_TRUE(reached([&] { return contains(daemon_->log(), "the rollback counter stands still"); }));
  }
  EXPECT_EQ(daemon_->stop(), 0);
  tpm_->start();
  ASSERT_TRUE(daemon_->start());
  const Connection client(*daemon_);
  EXPECT_EQ(decrypt(client, key, encrypt(client, key)), WVDS_SUCCESS);
}

// A TPM's driver gives a command up after a time; until then it only waits.
TEST_F(TpmService, ServesOnWhileTheTpmHangs) {
  const TpmWiretap bus(*tpm_);
  use(R"("rollback_nv_index": "0x01800100")", bus.tcti());
  ASSERT_TRUE(daemon_->start());
  const Connection client(*daemon_), manager(*daemon_);
  tpm_->freeze();
  const size_t heard = bus.heard().size();
  const uint32_t before = make_key(client, WVDS_LIFETIME_PERSISTENT);
  ASSERT_TRUE(reached([&] { return bus.heard().size() > heard; })) << "the rollback counter is not used";
  std::future<uint32_t> made =  // may have to wait
      std::async(std::launch::async, [&] { return make_key(manager, WVDS_LIFETIME_PERSISTENT); });
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(decrypt(client, before, encrypt(client, before)), WVDS_SUCCESS);
  const uint32_t of_session = make_key(client, WVDS_LIFETIME_SESSION);
  EXPECT_EQ(decrypt(client, of_session, encrypt(client, of_session)), WVDS_SUCCESS);
  tpm_->thaw();
  const uint32_t key = made.get();
  EXPECT_EQ(decrypt(client, key, encrypt(client, key)), WVDS_SUCCESS);
  EXPECT_FALSE(contains(daemon_->log(), "the rollback counter stands still"));
}

TEST_F(TpmService, DoesNotStartWithAnOlderStoreThatWasPutBack) {
  ASSERT_TRUE(daemon_->start());
  EXPECT_EQ(daemon_->stop(), 0);
  const std::string store = daemon_->path("store"), older = daemon_->path("older"), newest = daemon_->path("newest");
  fs::copy(store, older, fs::copy_options::recursive);
  ASSERT_TRUE(daemon_->start());
  EXPECT_EQ(daemon_->stop(), 0);
  fs::rename(store, newest);
  fs::rename(older, store);
  fs::permissions(store, fs::perms::owner_all);
  EXPECT_TRUE(contains(refused(), "an older state of the whole store was put back"));
  fs::rename(store, older);
  fs::rename(newest, store);
  EXPECT_TRUE(daemon_->start());
}

}  // namespace
}  // namespace wvds::test
