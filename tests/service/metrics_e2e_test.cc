// The figures of the running service: asked for, and in the file for a collector.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>
#include <memory>
#include <sstream>
#include <vector>

#include "service/testing/prometheus_text.h"
#include "support/daemon.h"

namespace wvds::test {
namespace {

using service::testing::PrometheusText;

constexpr int kEncryptions = 40;
constexpr int kRefused = 3;

std::string sections(const std::string& file) { return R"("metrics": {"file": ")" + file + R"(", "interval_s": 1},)"; }

class MetricsFigures : public testing::Test {
 protected:
  MetricsFigures() {
    EXPECT_EQ(mkdir(daemon_.path("figures").c_str(), 0755), 0);
    daemon_.configure({.fips = "", .clients = this_user_may_all(), .sections = sections(file_)});
  }

  // work makes kEncryptions and kRefused requests, by a session that ends.
  void work() const {
    const Connection client(daemon_);
    wvds_key_template wanted{};
    wanted.algorithm = WVDS_AES_256_GCM;
    wanted.lifetime = WVDS_LIFETIME_VOLATILE;
    uint32_t key = 0;
    ASSERT_EQ(wvds_key_generate(client.get(), &key, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
    for (int i = 0; i < kEncryptions; ++i) ASSERT_EQ(encrypt(client.get(), key), WVDS_SUCCESS);
    for (int i = 0; i < kRefused; ++i) ASSERT_EQ(encrypt(client.get(), key + 1), WVDS_KEY_NOT_FOUND);
  }
  static wvds_status encrypt(wvds_session* session, uint32_t key) {
    uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(4)];
    size_t length = 0;
    return wvds_aes_encrypt(session, sealed, &length, sizeof sealed, key, reinterpret_cast<const uint8_t*>("text"), 4,
                            nullptr, 0);
  }
  std::string text() const {
    std::ifstream file(file_);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }

  Daemon daemon_;
  const std::string file_ = daemon_.path("figures/wvds.prom");
};

TEST_F(MetricsFigures, InTheFileAreWhatWasDone) {
  ASSERT_TRUE(daemon_.start());
  work();
  const std::string done = "wvds_requests_total{operation=\"aes-encrypt\",status=\"SUCCESS\"}";
  ASSERT_TRUE(reached([&] { return PrometheusText(text()).value(done) == kEncryptions; })) << text();
  const PrometheusText figures(text());
  EXPECT_EQ(figures.problems(), std::vector<std::string>{});
  EXPECT_EQ(figures.value("wvds_requests_total{operation=\"aes-encrypt\",status=\"KEY_NOT_FOUND\"}"), kRefused);
  EXPECT_EQ(figures.value("wvds_requests_total{operation=\"key-generate\",status=\"SUCCESS\"}"), 1);
  EXPECT_EQ(figures.value("wvds_request_duration_seconds_count{operation=\"aes-encrypt\"}"), 3) << "one in 16 of 43";
  EXPECT_EQ(figures.value("wvds_keys{lifetime=\"volatile\"}"), 1);
  EXPECT_EQ(figures.value("wvds_sessions_opened_total"), 1);
  EXPECT_EQ(figures.value("wvds_fips_state{state=\"active\"}"), 1);
  EXPECT_EQ(figures.value("wvds_key_versions{level=\"under_50_percent\"}"), 1);
  EXPECT_EQ(figures.value("wvds_config_reload_failures_total"), 0);
  EXPECT_NE(text().find("version=\"" + std::string(wvds_library_version()) + "\""), std::string::npos);
}

TEST_F(MetricsFigures, ThatAreAskedForAreTheSame) {
  ASSERT_TRUE(daemon_.start());
  work();
  const Connection client(daemon_);
  const auto metrics = std::make_unique<wvds_metrics>();
  // The session that worked has ended for its client, but perhaps not yet for the service.
  ASSERT_TRUE(reached(
      [&] { return wvds_metrics_get(client.get(), metrics.get()) == WVDS_SUCCESS && metrics->num_sessions == 1; }));
  EXPECT_EQ(metrics->num_sessions_opened, 2u);
  EXPECT_EQ(metrics->num_volatile_keys, 1u);
  EXPECT_EQ(metrics->fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
  ASSERT_GE(metrics->num_operations, 2u);
  const wvds_operation_metrics& encryptions = metrics->operations[0];
  EXPECT_EQ(encryptions.operation, static_cast<wvds_operation>(WVDS_OP_AES_ENCRYPT));
  EXPECT_EQ(encryptions.num_requests, static_cast<uint64_t>(kEncryptions + kRefused));
  EXPECT_EQ(encryptions.num_by_status[WVDS_SUCCESS], static_cast<uint64_t>(kEncryptions));
  EXPECT_EQ(encryptions.num_by_status[WVDS_KEY_NOT_FOUND], static_cast<uint64_t>(kRefused));
  EXPECT_EQ(encryptions.num_timed, 3u);
  EXPECT_GT(encryptions.timed_ns, 0u);
  EXPECT_EQ(metrics->num_keys, 1u);
}

TEST_F(MetricsFigures, AreReadableByTheCollectorAndGoneWhenTheServiceIs) {
  ASSERT_TRUE(daemon_.start());
  struct stat facts{};
  ASSERT_TRUE(reached([&] { return stat(file_.c_str(), &facts) == 0; }));
  EXPECT_EQ(facts.st_mode & 07777, 0644u);
  ASSERT_EQ(daemon_.stop(), 0);
  EXPECT_NE(stat(file_.c_str(), &facts), 0);
}

TEST_F(MetricsFigures, ThatCanNotBeWrittenHoldNobodyUp) {
  ASSERT_EQ(rmdir(daemon_.path("figures").c_str()), 0);
  ASSERT_TRUE(daemon_.start());
  const auto logged = [&](const std::string& line) { return daemon_.log().find(line) != std::string::npos; };
  ASSERT_TRUE(reached([&] { return logged("metrics file can't be written"); }));
  work();
  ASSERT_EQ(mkdir(daemon_.path("figures").c_str(), 0755), 0);
  ASSERT_TRUE(reached([&] { return logged("metrics file is written again"); }));
  EXPECT_EQ(PrometheusText(text()).problems(), std::vector<std::string>{});
}

TEST_F(MetricsFigures, AreWrittenAtTheIntervalThatAReloadSets) {
  daemon_.configure({.fips = "",
                     .clients = this_user_may_all(),
                     .sections = R"("metrics": {"file": ")" + file_ + R"(", "interval_s": 3600},)"});
  ASSERT_TRUE(daemon_.start());
  ASSERT_TRUE(reached([&] { return !text().empty(); }));
  work();
  daemon_.configure({.fips = "", .clients = this_user_may_all(), .sections = sections(file_)});
  daemon_.signal(SIGHUP);
  EXPECT_TRUE(reached([&] { return PrometheusText(text()).value("wvds_config_reloads_total") == 1; })) << text();
}

TEST_F(MetricsFigures, AreARightOfTheirOwn) {
  daemon_.configure(
      {.fips = "",
       .clients = R"({"name": "tester", "uid": )" + std::to_string(getuid()) + R"(, "operations": ["status"]})",
       .sections = ""});
  ASSERT_TRUE(daemon_.start());
  const Connection client(daemon_);
  const auto metrics = std::make_unique<wvds_metrics>();
  EXPECT_EQ(wvds_metrics_get(client.get(), metrics.get()), WVDS_DENIED);
  EXPECT_EQ(metrics->num_sessions, 0u);
}

}  // namespace
}  // namespace wvds::test
