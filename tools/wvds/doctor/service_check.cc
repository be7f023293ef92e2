// What the running service says.
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <memory>

#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/doctor/judge.h"
#include "tools/wvds/doctor/system.h"
#include "tools/wvds/names.h"
#include "tools/wvds/status_report.h"

namespace wvds::tool {
namespace {

constexpr const char* kDown = "there is no session with the service";
constexpr size_t kMostKeys = 1000;  // each costs a request, and the client may have a rate limit

// asked calls `ask`, waits out the rate limit, and reports what stands in the way.
bool asked(Examination& exam, const char* check, const char* operation, const std::function<wvds_status()>& ask) {
  const wvds_status status = waiting_out(ask);
  if (status == WVDS_SUCCESS) return true;
  if (status == WVDS_DENIED) {
    exam.findings.not_checked(
        check, std::string("the configuration does not let this user ask for ") + operation,
        std::string("add \"") + operation + "\" to this client's operations, or run as one that has it");
  } else {
    exam.findings.problem(check, std::string(operation) + ": " + wvds_status_text(status),
                          "look into the service's log");
  }
  return false;
}

void add_refusal(Examination& exam, wvds_status status) {
  const std::string user = "user " + std::to_string(::geteuid()) + ", group " + std::to_string(::getegid());
  switch (status) {
    case WVDS_DENIED:
      return exam.findings.problem("client", "the service has no entry for " + user,
                                   "add a client with this uid or gid to clients in the configuration, and reload it");
    case WVDS_LIMIT_REACHED:
      return exam.findings.problem("client", "there are too many sessions",
                                   "end some, or raise sessions.total or this client's limits.sessions");
    default:
      return exam.findings.problem("client", std::string("no session: ") + wvds_status_text(status),
                                   "look into the service's log; restart it");
  }
}

// The configuration may have been read again since the start; when, the service does not say.
void check_age(Examination& exam, const wvds_service_state& state, const wvds_metrics* metrics) {
  const auto written = written_ms(exam.config_path);
  if (!exam.config || !written) return exam.findings.not_checked("config age", exam.config_path + " could not be read");
  const Finding finding =
      judge_age(exam.config_path, *written, wall_clock_ms() - static_cast<int64_t>(state.uptime_ms));
  const bool has_reloaded = metrics != nullptr && metrics->num_reloads > 0;
  if (finding.level == Level::kOk || !has_reloaded) return exam.findings.add(finding);
  exam.findings.not_checked("config age",
                            "the service has read the file again since its start, perhaps before the last change",
                            "reload it (SIGHUP) if in doubt");
}

void check_state(Examination& exam, const wvds_service_state& state) {
  exam.findings.add(judge_version(state.service_version, wvds_library_version()));
  if (state.fips_state == WVDS_FIPS_UNAVAILABLE) {
    exam.findings.warning("fips", "NOT ACTIVE in the running service",
                          "see fips module; restart the service afterwards");
  } else {
    exam.findings.ok("fips",
                     state.fips_state == WVDS_FIPS_ACTIVE ? "active in the running service" : "off, as configured");
  }
  if (state.memory_is_locked != 0) {
    exam.findings.ok("memory", "secrets are in locked memory");
  } else {
    exam.findings.warning("memory", "NOT LOCKED: secrets could reach the swap space",
                          "raise the limit of locked memory (LimitMEMLOCK=) and restart the service");
  }
  for (const std::string& warning : service_warnings(state)) {
    exam.findings.warning("service says", warning, "see the service's log");
  }
}

void check_metrics(Examination& exam, const wvds_metrics& metrics) {
  if (metrics.reservations_fail != 0) {
    exam.findings.problem("use counts", "the store's disk takes none; encryption will fail soon",
                          "see disk; then restart the service");
  }
  if (metrics.num_damaged_keys != 0) {
    exam.findings.problem("damaged keys", number_text(metrics.num_damaged_keys) + " can't be used",
                          "put their records back from a backup; the service's log names them");
  }
  if (metrics.num_failed_reloads != 0) {
    exam.findings.warning("reload",
                          number_text(metrics.num_failed_reloads) +
                              " times the configuration could not be read again; the old one is in force",
                          "see config, and reload the service");
  }
}

// The counters name the fullest keys of all clients.
void check_all_keys(Examination& exam, const wvds_metrics& metrics) {
  bool found = false;
  for (uint32_t i = 0; i < std::min<size_t>(metrics.num_keys, std::size(metrics.keys)); ++i) {
    const wvds_key_use_metrics& key = metrics.keys[i];
    found |= judge_use(exam.findings, "key " + std::to_string(key.key_id), key.version, key.uses, key.use_limit);
  }
  if (!found) exam.findings.ok("key use", "no key of any client is near its limit");
}

bool check_key(Examination& exam, const wvds_key_entry& key, bool& found) {
  wvds_key_details details{};
  const auto ask = [&] { return wvds_key_info(exam.session.get(), &details, key.key_id); };
  if (!asked(exam, "key use", "key-info", ask)) return false;
  for (uint32_t i = 0; i < std::min(details.num_versions, WVDS_MAX_KEY_VERSIONS); ++i) {
    const wvds_key_version& version = details.versions[i];
    if (version.state != WVDS_KEY_VERSION_ACTIVE) continue;
    found |=
        judge_use(exam.findings, "key " + std::to_string(key.key_id), version.number, version.uses, version.use_limit);
  }
  return true;
}

void check_own_keys(Examination& exam) {
  const auto keys = list_keys(exam.session, kMostKeys + 1);
  if (!keys) {
    return exam.findings.not_checked("key use", keys.error().message,
                                     "give this client \"metrics\", or \"key-list\" and \"key-info\"");
  }
  bool found = false;
  size_t looked_at = 0;
  for (const wvds_key_entry& key : *keys) {
    if (looked_at++ == kMostKeys) break;
    if (key.algorithm == WVDS_AES_256_GCM && !check_key(exam, key, found)) return;
  }
  if (!found) exam.findings.ok("key use", "none of this user's keys is near its limit");
  if (keys->size() > kMostKeys) {
    exam.findings.not_checked("key use", "this user has more than " + number_text(kMostKeys) + " keys",
                              "give this client \"metrics\"");
  }
  exam.findings.not_checked("other keys", "this user does not see other clients' keys",
                            "give this client \"metrics\", or run as each of them");
}

}  // namespace

void check_session(Examination& exam) {
  if (!exam.is_served) return;
  wvds_session* session = nullptr;
  const wvds_status status = wvds_connect(&session, exam.socket_path.c_str(), exam.service.timeout_ms);
  exam.session.reset(session);
  if (status != WVDS_SUCCESS) return add_refusal(exam, status);
  exam.findings.ok("client", "the service serves this user");
}

void check_service(Examination& exam) {
  if (exam.session == nullptr) return exam.findings.not_checked("service", kDown, "see socket and client");
  wvds_service_state state{};
  auto metrics = std::make_unique<wvds_metrics>();
  const bool has_metrics = wvds_metrics_get(exam.session.get(), metrics.get()) == WVDS_SUCCESS;
  if (has_metrics) check_metrics(exam, *metrics);
  const auto ask = [&] { return wvds_status_get(exam.session.get(), &state); };
  if (!asked(exam, "service", "status", ask)) return;
  check_state(exam, state);
  check_age(exam, state, has_metrics ? metrics.get() : nullptr);
}

void check_keys(Examination& exam) {
  if (exam.session == nullptr) return exam.findings.not_checked("key use", kDown, "see socket and client");
  auto metrics = std::make_unique<wvds_metrics>();
  const auto ask = [&] { return wvds_metrics_get(exam.session.get(), metrics.get()); };
  if (waiting_out(ask) == WVDS_SUCCESS) return check_all_keys(exam, *metrics);
  check_own_keys(exam);
}

}  // namespace wvds::tool
