#include "service/metrics_text.h"

#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "protocol/operations.h"

namespace wvds::service {
namespace {

using protocol::MetricsAnswer;
using protocol::OperationMetrics;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

constexpr double kMillisecondsPerSecond = 1e3;
constexpr double kNanosecondsPerSecond = 1e9;

// seconds_text has enough digits for a whole number of nanoseconds, and none that say nothing.
std::string seconds_text(double seconds) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.15g", seconds);
  return text.data();
}

std::string bound_text(size_t bucket) {
  if (bucket + 1 == protocol::kLatencyBuckets) return "+Inf";
  return seconds_text(static_cast<double>(protocol::latency_bound_ns(bucket)) / kNanosecondsPerSecond);
}

const char* operation_name(uint8_t type) {
  const protocol::OperationInfo* info = protocol::operation_info(type);
  return info == nullptr ? "none" : info->config_name;
}

class Text {
 public:
  void metric(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " + std::string(type) + "\n";
  }
  void sample(const std::string& value, Labels labels = {}, std::string_view suffix = {}) {
    out_ += name_ + std::string(suffix);
    char separator = '{';
    for (const auto& [label, text] : labels) {
      out_ += separator + std::string(label) + "=\"" + escaped(text) + '"';
      separator = ',';
    }
    if (labels.size() > 0) out_ += '}';
    out_ += " " + value + "\n";
  }
  void sample(uint64_t value, Labels labels = {}, std::string_view suffix = {}) {
    sample(std::to_string(value), labels, suffix);
  }
  void gauge(std::string_view name, uint64_t value, std::string_view help) {
    metric(name, "gauge", help);
    sample(value);
  }
  void counter(std::string_view name, uint64_t value, std::string_view help) {
    metric(name, "counter", help);
    sample(value);
  }
  std::string take() { return std::move(out_); }

 private:
  static std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (c == '\\' || c == '"') out += '\\';
      out += c == '\n' ? ' ' : c;
    }
    return out;
  }

  std::string out_;
  std::string name_;
};

void add_service(Text& text, const MetricsAnswer& metrics, const BuildFacts& build) {
  text.metric("wvds_build_info", "gauge", "1, with the versions as labels.");
  text.sample(1, {{"version", build.version}, {"library", build.library}, {"provider", build.provider}});
  text.metric("wvds_epoch_info", "gauge", "1, with a number as label that differs after every start.");
  text.sample(1, {{"epoch", std::to_string(metrics.epoch)}});
  text.metric("wvds_uptime_seconds", "gauge", "Time since the service started.");
  text.sample(seconds_text(static_cast<double>(metrics.uptime_ms) / kMillisecondsPerSecond));
  text.metric("wvds_fips_state", "gauge", "1 at the state that holds: off, active, or unavailable although preferred.");
  constexpr std::pair<protocol::FipsState, const char*> kStates[] = {
      {protocol::FipsState::kOff, "off"},
      {protocol::FipsState::kActive, "active"},
      {protocol::FipsState::kUnavailable, "unavailable"}};
  for (const auto& [state, word] : kStates) text.sample(metrics.fips_state == state ? 1 : 0, {{"state", word}});
  text.gauge("wvds_warnings", metrics.warnings, "Warnings that wvds status shows.");
  text.counter("wvds_config_reloads_total", metrics.reloads, "Reloads of the configuration.");
  text.counter("wvds_config_reload_failures_total", metrics.failed_reloads,
               "Reloads that failed; the configuration before stayed in force.");
  text.gauge("wvds_audit_entry", metrics.audit_entry, "Number of the audit log's last entry.");
  text.counter("wvds_audit_lost_total", metrics.audit_lost, "Entries of the audit log that could not be written.");
}

void add_sessions(Text& text, const MetricsAnswer& metrics) {
  text.gauge("wvds_sessions", metrics.sessions, "Sessions at present.");
  text.gauge("wvds_sessions_limit", metrics.session_limit, "Sessions that the service admits.");
  text.counter("wvds_sessions_opened_total", metrics.sessions_opened, "Sessions that were opened.");
  text.metric("wvds_sessions_refused_total", "counter", "Sessions that were refused, by reason.");
  text.sample(metrics.refused_strangers, {{"reason", "stranger"}});
  text.sample(metrics.refused_service_limit, {{"reason", "service_limit"}});
  text.sample(metrics.refused_client_limit, {{"reason", "client_limit"}});
  text.sample(metrics.refused_not_ready, {{"reason", "not_ready"}});
  text.counter("wvds_wasted_wakeups_total", metrics.wasted_wakeups, "Wake-ups by clients that brought no request.");
  text.counter("wvds_rate_limited_total", metrics.rate_limited, "Requests refused by a client's rate limit.");
}

void add_keys(Text& text, const MetricsAnswer& metrics) {
  text.metric("wvds_keys", "gauge", "Keys, by lifetime.");
  text.sample(metrics.session_keys, {{"lifetime", "session"}});
  text.sample(metrics.volatile_keys, {{"lifetime", "volatile"}});
  text.sample(metrics.persistent_keys, {{"lifetime", "persistent"}});
  text.gauge("wvds_keys_damaged", metrics.damaged_keys, "Stored keys whose record can't be used.");
  text.metric("wvds_key_versions", "gauge",
              "Key versions that have a limit of uses, by how much of it they have used.");
  constexpr std::array kLevels{"under_50_percent", "under_75_percent", "under_90_percent", "under_100_percent",
                               "used_up"};
  static_assert(kLevels.size() == protocol::kUseLevels);
  for (size_t i = 0; i < kLevels.size(); ++i) text.sample(metrics.use_levels[i], {{"level", kLevels[i]}});
  text.metric("wvds_key_used_ratio", "gauge", "Used part of the limit, of the fullest key versions.");
  for (const protocol::MostUsedKey& key : metrics.most_used_keys) {
    text.sample(seconds_text(static_cast<double>(key.uses) / static_cast<double>(key.use_limit)),
                {{"key_id", std::to_string(key.key_id)}, {"version", std::to_string(key.version)}});
  }
}

void add_memory(Text& text, const MetricsAnswer& metrics) {
  text.gauge("wvds_replay_window_bytes", metrics.window_bytes, "Memory that replay windows take.");
  text.gauge("wvds_replay_window_limit_bytes", metrics.window_bytes_limit, "Memory that they may take.");
  text.gauge("wvds_secure_memory_bytes", metrics.locked_bytes, "Memory for secrets in use.");
  text.gauge("wvds_secure_memory_limit_bytes", metrics.locked_bytes_limit, "Memory for secrets.");
  text.gauge("wvds_secure_memory_locked", metrics.locked_memory ? 1 : 0, "1: secrets can't be swapped out.");
  text.gauge("wvds_store_reservations_failing", metrics.reservations_fail,
             "1: the store's disk takes no reservations; encryption and new keys will fail soon.");
}

void add_histogram(Text& text, const OperationMetrics& operation) {
  const std::string name = operation_name(operation.type);
  uint64_t below = 0;
  for (size_t i = 0; i < operation.latencies.size(); ++i) {
    below += operation.latencies[i];
    text.sample(below, {{"operation", name}, {"le", bound_text(i)}}, "_bucket");
  }
  text.sample(seconds_text(static_cast<double>(operation.latency_sum_ns) / kNanosecondsPerSecond),
              {{"operation", name}}, "_sum");
  text.sample(below, {{"operation", name}}, "_count");
}

void add_requests(Text& text, const MetricsAnswer& metrics) {
  text.metric("wvds_requests_total", "counter", "Requests, by operation and status.");
  for (const OperationMetrics& operation : metrics.operations) {
    for (const protocol::StatusCount& count : operation.statuses) {
      text.sample(count.requests,
                  {{"operation", operation_name(operation.type)}, {"status", status_name(count.status)}});
    }
  }
  text.metric("wvds_request_duration_seconds", "histogram",
              "Time the service worked on a request, of one in 16 of each operation and session.");
  for (const OperationMetrics& operation : metrics.operations) {
    if (operation.type != 0) add_histogram(text, operation);
  }
}

}  // namespace

std::string metrics_text(const MetricsAnswer& metrics, const BuildFacts& build) {
  Text text;
  add_service(text, metrics, build);
  add_sessions(text, metrics);
  add_keys(text, metrics);
  add_memory(text, metrics);
  add_requests(text, metrics);
  return text.take();
}

}  // namespace wvds::service
