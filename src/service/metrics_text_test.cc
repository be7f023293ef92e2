#include "service/metrics_text.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "config/service_config.h"
#include "service/testing/prometheus_text.h"

namespace wvds::service::testing {
namespace {

protocol::MetricsAnswer some_metrics() {
  protocol::MetricsAnswer metrics;
  metrics.uptime_ms = 1500;
  metrics.fips_state = protocol::FipsState::kActive;
  metrics.locked_memory = true;
  metrics.sessions = 2;
  metrics.session_limit = 64;
  metrics.refused_strangers = 3;
  metrics.persistent_keys = 5;
  metrics.use_levels = {1, 2, 3, 4, 5};
  metrics.window_bytes = 4096;
  metrics.operations = {{0, {{Status::kInvalidType, 1}}, 0, {}},
                        {0x01, {{Status::kSuccess, 100}, {Status::kRateLimited, 3}}, 4'500, {0, 0, 6, 1}},
                        {0xee, {{Status::kSuccess, 1}}, 0, {}}};
  metrics.operations[1].latencies[protocol::kLatencyBuckets - 1] = 2;
  metrics.most_used_keys = {{17, 2, 76, 100}};
  return metrics;
}

const BuildFacts kBuild{"0.1.0", "OpenSSL \"3.6\"", "back\\slash\nline"};

TEST(MetricsText, IsWellFormed) {
  const PrometheusText text(metrics_text(some_metrics(), kBuild));
  EXPECT_EQ(text.problems(), std::vector<std::string>{});
  EXPECT_GT(text.metrics().size(), 20u);
  for (const std::string& name : text.metrics()) EXPECT_TRUE(name.starts_with("wvds_")) << name;
}

TEST(MetricsText, IsWellFormedOfAServiceThatDidNothing) {
  EXPECT_EQ(PrometheusText(metrics_text({}, {})).problems(), std::vector<std::string>{});
}

TEST(MetricsText, HasTheFiguresInBaseUnits) {
  const PrometheusText text(metrics_text(some_metrics(), kBuild));
  EXPECT_EQ(text.value("wvds_uptime_seconds"), 1.5);
  EXPECT_EQ(text.value("wvds_sessions"), 2);
  EXPECT_EQ(text.value("wvds_sessions_limit"), 64);
  EXPECT_EQ(text.value("wvds_sessions_refused_total{reason=\"stranger\"}"), 3);
  EXPECT_EQ(text.value("wvds_fips_state{state=\"active\"}"), 1);
  EXPECT_EQ(text.value("wvds_fips_state{state=\"off\"}"), 0);
  EXPECT_EQ(text.value("wvds_keys{lifetime=\"persistent\"}"), 5);
  EXPECT_EQ(text.value("wvds_key_versions{level=\"under_50_percent\"}"), 1);
  EXPECT_EQ(text.value("wvds_key_versions{level=\"used_up\"}"), 5);
  EXPECT_EQ(text.value("wvds_key_used_ratio{key_id=\"17\",version=\"2\"}"), 0.76);
  EXPECT_EQ(text.value("wvds_replay_window_bytes"), 4096);
  EXPECT_EQ(text.value("wvds_secure_memory_locked"), 1);
}

TEST(MetricsText, CountsRequestsByOperationAndStatus) {
  const PrometheusText text(metrics_text(some_metrics(), kBuild));
  EXPECT_EQ(text.value("wvds_requests_total{operation=\"aes-encrypt\",status=\"SUCCESS\"}"), 100);
  EXPECT_EQ(text.value("wvds_requests_total{operation=\"aes-encrypt\",status=\"RATE_LIMITED\"}"), 3);
  EXPECT_EQ(text.value("wvds_requests_total{operation=\"none\",status=\"INVALID_TYPE\"}"), 1);
}

TEST(MetricsText, AddsTheBucketsOfAHistogramUp) {
  const PrometheusText text(metrics_text(some_metrics(), kBuild));
  const auto bucket = [&](const std::string& bound) {
    return text.value("wvds_request_duration_seconds_bucket{operation=\"aes-encrypt\",le=\"" + bound + "\"}");
  };
  EXPECT_EQ(bucket("2.56e-07"), 0);
  EXPECT_EQ(bucket("1.024e-06"), 6);
  EXPECT_EQ(bucket("0.268435456"), 7);
  EXPECT_EQ(bucket("+Inf"), 9);
  EXPECT_EQ(text.value("wvds_request_duration_seconds_count{operation=\"aes-encrypt\"}"), 9);
  EXPECT_EQ(text.value("wvds_request_duration_seconds_sum{operation=\"aes-encrypt\"}"), 4.5e-06);
}

TEST(MetricsText, EscapesLabels) {
  const std::string text = metrics_text(some_metrics(), kBuild);
  EXPECT_NE(text.find(R"(library="OpenSSL \"3.6\"",provider="back\\slash line"})"), std::string::npos) << text;
}

// The page's table, and what is written, are the same.
TEST(MetricsText, HasTheFiguresThatTheOperatorsPageLists) {
  std::ifstream page(WVDS_SOURCE_DIR "/docs/operation.md");
  std::map<std::string, std::string> listed;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("| `wvds_")) continue;
    const size_t name = 3;
    const size_t type = line.find("` | ", name) + 4;
    listed[line.substr(name, line.find('`', name) - name)] = line.substr(type, line.find(' ', type) - type);
  }
  std::map<std::string, std::string> written;
  std::istringstream text(metrics_text(some_metrics(), kBuild));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with("# TYPE ")) continue;
    const size_t space = line.find(' ', 7);
    written[line.substr(7, space - 7)] = line.substr(space + 1);
  }
  EXPECT_EQ(listed, written);
}

// The page's example of the configuration is one.
TEST(MetricsText, IsConfiguredAsTheOperatorsPageShows) {
  std::ifstream page(WVDS_SOURCE_DIR "/docs/operation.md");
  std::string section;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("\"metrics\": {")) section = line;
  }
  ASSERT_FALSE(section.empty());
  config::Vocabulary words;
  words.files = true;
  const std::string rest = R"(, "store": {"path": "/s", "protector": "file", "file": { "key_file": "/k" }},
    "clients": [{"name": "a", "operations": []}]})";
  const auto config = config::load_service_config("c", "{" + section + rest, words);
  ASSERT_TRUE(config.has_value()) << config.error();
  EXPECT_EQ(config->metrics.file, "/var/lib/node_exporter/wvds.prom");
  EXPECT_EQ(config->metrics.interval_s, config::Metrics{}.interval_s) << "the page shows the default";
}

TEST(PrometheusText, FindsWhatACollectorWouldComplainOf) {
  const auto problems = [](const std::string& text) { return PrometheusText(text).problems().size(); };
  const std::string head = "# HELP a_total x\n# TYPE a_total counter\n";
  EXPECT_EQ(problems(head + "a_total 1\n"), 0u);
  EXPECT_NE(problems(head + "a_total 1"), 0u) << "no line end";
  EXPECT_NE(problems("a_total 1\n"), 0u) << "no TYPE";
  EXPECT_NE(problems(head + "b_total 1\n"), 0u);
  EXPECT_NE(problems(head + "a_total x\n"), 0u);
  EXPECT_NE(problems(head + "a_total 1\na_total 1\n"), 0u);
  EXPECT_NE(problems(head + "a_total{1a=\"x\"} 1\n"), 0u);
  EXPECT_NE(problems(head + "a_total{b=\"x\" 1\n"), 0u);
  EXPECT_NE(problems("# HELP a x\n# TYPE a counter\na 1\n"), 0u) << "a counter that is not called so";
  const std::string histogram = "# HELP h x\n# TYPE h histogram\n";
  EXPECT_NE(problems(histogram + "h_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n"), 0u);
  EXPECT_NE(problems(histogram + "h_bucket{le=\"1\"} 2\nh_sum 1\nh_count 2\n"), 0u);
}

}  // namespace
}  // namespace wvds::service::testing
