#include "tools/wvds/est/est_report.h"

#include "platform/wall_clock.h"
#include "tools/wvds/names.h"

namespace wvds::tool {
namespace {

constexpr size_t kLabel = 15;

Json date_json(uint64_t time) { return time == 0 ? Json() : Json(platform::date_text(time)); }

Json failure_json(const wvds_est_failure& failure) {
  if (!has_failed(failure)) return {};
  return {{"name", failure.name},
          {"detail", failure.detail},
          {"advice", failure.advice},
          {"at", platform::date_text(failure.at)}};
}

std::string hex_text(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

Json certificate_json(const EstCertificate& certificate) {
  const bool is_there = certificate.key_id != 0;
  return {{"name", certificate.name},
          {"phase", phase_word(certificate.phase)},
          {"subject", is_there ? Json(certificate.subject) : Json()},
          {"key_type", algorithm_text(certificate.key_type)},
          {"key", is_there ? Json(certificate.key_id) : Json()},
          {"previous_key", certificate.previous_key_id != 0 ? Json(certificate.previous_key_id) : Json()},
          {"fingerprint", is_there ? Json(hex_text(certificate.fingerprint)) : Json()},
          {"not_before", date_json(certificate.not_before)},
          {"not_after", date_json(certificate.not_after)},
          {"renew_at", date_json(certificate.renew_at)},
          {"next_attempt", date_json(certificate.next_attempt)},
          {"failures", certificate.num_failures},
          {"failure", failure_json(certificate.failure)}};
}

const char* phase_text(uint32_t phase) {
  switch (phase) {
    case WVDS_EST_MISSING: return "MISSING: there is none yet";
    case WVDS_EST_WAITING: return "WAITING: the server took the request and answers later";
    case WVDS_EST_VALID: return "valid";
    case WVDS_EST_DUE: return "valid, renewal is due";
    case WVDS_EST_EXPIRED: return "EXPIRED";
    default: return "in a state that this program does not know";
  }
}

class Lines {
 public:
  void add(const std::string& label, const std::string& text) { text_ += padded(label, kLabel) + text + "\n"; }
  void add_failure(const wvds_est_failure& failure, const std::string& more) {
    if (!has_failed(failure)) return;
    add("last failure", std::string(failure.name) + ", " + platform::date_text(failure.at) + more + ":");
    add("", failure.detail);
    add("what helps", failure.advice);
  }
  void end(Report& report) {
    if (!text_.empty()) report.only_text(text_.substr(0, text_.size() - 1));
  }

 private:
  std::string text_;
};

std::string failures_text(uint32_t failures) {
  return failures < 2 ? "" : ", " + number_text(failures) + " since the last success";
}

void add_text(Report& report, const EstCertificate& certificate) {
  Lines lines;
  lines.add("certificate", std::string(certificate.name) + ": " + phase_text(certificate.phase));
  std::string key = algorithm_text(certificate.key_type);
  if (certificate.key_id != 0) {
    key += ", key " + std::to_string(certificate.key_id);
    lines.add("subject", certificate.subject);
    lines.add("valid",
              platform::date_text(certificate.not_before) + " to " + platform::date_text(certificate.not_after));
    lines.add("renewal", "from " + platform::date_text(certificate.renew_at) + " on");
    lines.add("fingerprint", hex_text(certificate.fingerprint));
  }
  if (certificate.previous_key_id != 0) key += "; before: key " + std::to_string(certificate.previous_key_id);
  lines.add("key", key);
  if (certificate.next_attempt != 0 && certificate.next_attempt != certificate.renew_at)
    lines.add("next attempt", platform::date_text(certificate.next_attempt));
  lines.add_failure(certificate.failure, failures_text(certificate.num_failures));
  lines.end(report);
  report.only_text("");
}

}  // namespace

const char* phase_word(uint32_t phase) {
  switch (phase) {
    case WVDS_EST_MISSING: return "missing";
    case WVDS_EST_WAITING: return "waiting";
    case WVDS_EST_VALID: return "valid";
    case WVDS_EST_DUE: return "due";
    case WVDS_EST_EXPIRED: return "expired";
    default: return "unknown";
  }
}

bool has_failed(const wvds_est_failure& failure) { return failure.name[0] != '\0'; }

std::string failure_text(const wvds_est_failure& failure) {
  return std::string(failure.name) + ": " + failure.detail + ". " + failure.advice;
}

std::string age_text(uint64_t time, uint64_t now) {
  return now > time ? duration_text((now - time) * 1000) + " ago" : "just now";
}

Report est_report(const wvds_est_state& state, const EstCertificate* only, uint64_t now) {
  Report report;
  Json list = Json::array();
  bool all_valid = true;
  for (const EstCertificate& certificate : certificates_of(state)) {
    if (only != nullptr && &certificate != only) continue;
    add_text(report, certificate);
    list.push_back(certificate_json(certificate));
    all_valid &= is_good(certificate);
  }
  Lines lines;
  const uint64_t at = state.ca_fetched_at;
  lines.add("CA", at == 0 ? "certificates were never fetched"
                          : "certificates were fetched " + platform::date_text(at) + ", " + age_text(at, now));
  lines.add_failure(state.ca_failure, "");
  lines.end(report);
  report.only_json({{"all_valid", all_valid},
                    {"certificates", std::move(list)},
                    {"ca_fetched_at", date_json(at)},
                    {"ca_failure", failure_json(state.ca_failure)}});
  return report;
}

}  // namespace wvds::tool
