#include "tools/wvds/metrics_report.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

constexpr size_t kLevels = WVDS_NUM_USE_LEVELS;

std::string operation_text(wvds_operation operation) {
  if (operation == 0) return "INVALID";
  const char* name = wvds_operation_name(operation);
  return name == nullptr ? std::to_string(operation) : name;
}

Json statuses_json(const wvds_operation_metrics& operation) {
  Json statuses = Json::object();
  for (uint32_t status = 0; status < WVDS_METRICS_NUM_STATUSES; ++status) {
    if (operation.num_by_status[status] == 0) continue;
    statuses[wvds_status_name(static_cast<wvds_status>(status))] = operation.num_by_status[status];
  }
  return statuses;
}

// quantile_ns is an upper bound: the histogram's limit that `share` of the timed requests stayed within. 0 for none.
uint64_t quantile_ns(const wvds_operation_metrics& operation, double share) {
  uint64_t seen = 0;
  for (size_t i = 0; i < WVDS_METRICS_NUM_LATENCIES && operation.num_timed > 0; ++i) {
    seen += operation.num_by_latency[i];
    if (static_cast<double>(seen) >= share * static_cast<double>(operation.num_timed)) return WVDS_LATENCY_LIMIT_NS(i);
  }
  return 0;
}

std::string time_text(uint64_t nanoseconds) {
  char text[32];
  const double microseconds = static_cast<double>(nanoseconds) / 1000;
  std::snprintf(text, sizeof text, microseconds < 100 ? "%.1f us" : "%.0f us", microseconds);
  return text;
}

std::string operation_line(const wvds_operation_metrics& operation) {
  const uint64_t failed = operation.num_requests - std::min(operation.num_requests, operation.num_by_status[0]);
  std::string text = number_text(operation.num_requests) + " requests";
  if (failed != 0) text += ", " + number_text(failed) + " not successful";
  if (operation.num_timed == 0) return text;
  return text + ", median under " + time_text(quantile_ns(operation, 0.5)) + ", p99 under " +
         time_text(quantile_ns(operation, 0.99));
}

Json operation_json(const wvds_operation_metrics& operation) {
  Json latencies = Json::array();
  for (const uint64_t count : operation.num_by_latency) latencies.push_back(count);
  return {{"operation", operation_text(operation.operation)},
          {"requests", operation.num_requests},
          {"by_status", statuses_json(operation)},
          {"timed", operation.num_timed},
          {"timed_ns", operation.timed_ns},
          {"by_latency", std::move(latencies)}};
}

void add_operations(Report& report, const wvds_metrics& metrics) {
  Json list = Json::array();
  const size_t count = std::min<size_t>(metrics.num_operations, std::size(metrics.operations));
  for (size_t i = 0; i < count; ++i) {
    const wvds_operation_metrics& operation = metrics.operations[i];
    list.push_back(operation_json(operation));
    report.only_text("  " + padded(operation_text(operation.operation), 21) + " " + operation_line(operation));
  }
  Json limits = Json::array();
  for (size_t i = 0; i + 1 < WVDS_METRICS_NUM_LATENCIES; ++i) limits.push_back(WVDS_LATENCY_LIMIT_NS(i));
  report.only_json({{"latency_limits_ns", std::move(limits)}, {"operations", std::move(list)}});
}

void add_sessions(Report& report, const wvds_metrics& metrics) {
  const uint64_t refused = metrics.num_refused_strangers + metrics.num_refused_service_limit +
                           metrics.num_refused_client_limit + metrics.num_refused_not_ready;
  report.line("since start",
              number_text(metrics.num_sessions_opened) + " sessions opened, " + number_text(refused) + " refused, " +
                  number_text(metrics.num_rate_limited) + " requests rate-limited",
              {{"sessions_opened", metrics.num_sessions_opened},
               {"refused_strangers", metrics.num_refused_strangers},
               {"refused_service_limit", metrics.num_refused_service_limit},
               {"refused_client_limit", metrics.num_refused_client_limit},
               {"refused_not_ready", metrics.num_refused_not_ready},
               {"wasted_wakeups", metrics.num_wasted_wakeups},
               {"rate_limited", metrics.num_rate_limited}});
  report.line("reloads", number_text(metrics.num_reloads) + ", " + number_text(metrics.num_failed_reloads) + " failed",
              {{"reloads", metrics.num_reloads}, {"failed_reloads", metrics.num_failed_reloads}});
  report.line("audit log",
              number_text(metrics.audit_entry) + " entries, " + number_text(metrics.num_audit_lost) + " lost",
              {{"audit_entries", metrics.audit_entry}, {"audit_lost", metrics.num_audit_lost}});
}

void add_memory(Report& report, const wvds_metrics& metrics) {
  const auto of = [](uint64_t used, uint64_t most) {
    return number_text(used >> 10) + " of " + number_text(most >> 10) + " KB";
  };
  report.line("locked memory", of(metrics.locked_bytes, metrics.max_locked_bytes),
              {{"locked_bytes", metrics.locked_bytes}, {"max_locked_bytes", metrics.max_locked_bytes}});
  report.line("replay windows", of(metrics.window_bytes, metrics.max_window_bytes),
              {{"window_bytes", metrics.window_bytes}, {"max_window_bytes", metrics.max_window_bytes}});
}

std::string levels_text(const wvds_metrics& metrics) {
  constexpr const char* kTexts[kLevels] = {"under 50 %", "under 75 %", "under 90 %", "under 100 %", "used up"};
  std::string text;
  for (size_t i = 0; i < kLevels; ++i) {
    if (metrics.num_by_use_level[i] == 0) continue;
    text += (text.empty() ? "" : ", ") + number_text(metrics.num_by_use_level[i]) + " " + kTexts[i];
  }
  return text.empty() ? "no key that encrypts" : text;
}

Json most_used_json(const wvds_metrics& metrics) {
  Json list = Json::array();
  for (uint32_t i = 0; i < std::min<size_t>(metrics.num_keys, std::size(metrics.keys)); ++i) {
    const wvds_key_use_metrics& key = metrics.keys[i];
    list.push_back({{"key", key.key_id}, {"version", key.version}, {"uses", key.uses}, {"use_limit", key.use_limit}});
  }
  return list;
}

void add_keys(Report& report, const wvds_metrics& metrics) {
  Json levels = Json::array();
  for (const uint32_t count : metrics.num_by_use_level) levels.push_back(count);
  report.line("key use", levels_text(metrics),
              {{"by_use_level", std::move(levels)}, {"most_used_keys", most_used_json(metrics)}});
  report.only_json({{"session_keys", metrics.num_session_keys},
                    {"volatile_keys", metrics.num_volatile_keys},
                    {"damaged_keys", metrics.num_damaged_keys},
                    {"reservations_fail", metrics.reservations_fail != 0}});
  if (metrics.num_damaged_keys != 0)
    report.only_text(padded("damaged keys", 15) + number_text(metrics.num_damaged_keys));
  if (metrics.reservations_fail != 0) report.only_text(padded("DISK", 15) + "the store's disk takes no use counts");
}

}  // namespace

Report metrics_report(const wvds_metrics& metrics) {
  Report report;
  add_sessions(report, metrics);
  add_memory(report, metrics);
  add_keys(report, metrics);
  add_operations(report, metrics);
  return report;
}

}  // namespace wvds::tool
