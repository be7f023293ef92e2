// The configuration's section, and what est_service says itself.
#include <sstream>

#include "est_service/check_config.h"
#include "platform/wall_clock.h"
#include "tools/wvds/est/doctor/est_examination.h"
#include "tools/wvds/est/est_report.h"

namespace wvds::tool {
namespace {

constexpr Daemon kEstService{"est socket", "wvds_est_service", "est.socket"};

std::string until_text(const EstCertificate& certificate) {
  return std::string(certificate.name) + ": valid until " + platform::date_text(certificate.not_after) +
         ", renewed from " + platform::date_text(certificate.renew_at) + " on";
}

const char* lack_text(const EstCertificate& certificate) {
  if (certificate.phase == WVDS_EST_EXPIRED) return " has EXPIRED";
  return is_good(certificate) ? " is valid, but its renewal failed" : " is not there yet";
}

// A server that wants to be asked later has not failed, and a person may have to act there.
void add_failure(EstExamination& exam, const EstCertificate& certificate) {
  const wvds_est_failure& failure = certificate.failure;
  const std::string text = std::string(certificate.name) + lack_text(certificate) + ": " + failure.name + ", " +
                           platform::date_text(failure.at) + ": " + failure.detail;
  const bool is_later = std::string_view(failure.name) == "retry-later";
  exam.findings().add({is_later ? Level::kWarning : Level::kProblem, "certificate", text, failure.advice});
}

void check_certificate(EstExamination& exam, const EstCertificate& certificate) {
  const std::string name = certificate.name;
  Findings& findings = exam.findings();
  if (has_failed(certificate.failure)) return add_failure(exam, certificate);
  if (is_good(certificate)) return findings.ok("certificate", until_text(certificate));
  if (certificate.phase == WVDS_EST_WAITING) {
    return findings.warning("certificate",
                            name + ": the server took the request and answers later; est_service asks again at " +
                                platform::date_text(certificate.next_attempt),
                            "somebody may have to approve the request at the CA");
  }
  findings.problem("certificate", name + lack_text(certificate), "wvds est enroll " + name + " tries now");
}

void check_ca(EstExamination& exam, const wvds_est_state& state) {
  Findings& findings = exam.findings();
  if (has_failed(state.ca_failure)) {
    return findings.problem("CA",
                            std::string("its certificates could not be fetched: ") + state.ca_failure.name + ", " +
                                platform::date_text(state.ca_failure.at) + ": " + state.ca_failure.detail,
                            state.ca_failure.advice);
  }
  if (state.ca_fetched_at == 0)
    return findings.warning("CA", "its certificates were never fetched", "wvds est cacerts --refresh");
  const uint64_t now = static_cast<uint64_t>(exam.now.value_or(0));
  findings.ok("CA", "its certificates were fetched " + age_text(state.ca_fetched_at, now));
}

void add_refusal(EstExamination& exam, const Failure& failure, wvds_status status) {
  if (status == WVDS_DENIED) {
    return exam.findings().not_checked("est client", "est_service does not serve this user, so its state is not known",
                                       "run as a client that has \"est-status\", or give it to this user");
  }
  exam.findings().problem("est client", failure.message, "look into est_service's log; restart it");
}

}  // namespace

void check_est_config(EstExamination& exam) {
  if (!exam.crypto.config) return;  // said already
  Findings& findings = exam.findings();
  if (exam.est() == nullptr) {
    return findings.problem("est config",
                            exam.crypto.config_path + " has no section \"est\": est_service does not start",
                            "write it: docs/config.md");
  }
  const auto checked = est_service::check_config(*exam.est());
  if (checked) return findings.ok("est config", "the section \"est\" is right; the server is " + exam.est()->server);
  std::istringstream lines(checked.error().detail);
  for (std::string line; std::getline(lines, line);)
    findings.problem("est config", line, "correct it; wvds_est_service --check-config shows whether it is right");
}

void check_est_socket(EstExamination& exam) {
  if (!exam.is_socket_given && exam.est() != nullptr) exam.service.socket = exam.est()->socket_path;
  exam.is_served = look_at_socket(exam.findings(), kEstService, exam.service.socket, exam.peer);
}

void check_est_session(EstExamination& exam) {
  if (!exam.is_served) return;
  wvds_session* session = nullptr;
  const wvds_status status = wvds_connect(&session, exam.service.socket.c_str(), exam.service.timeout_ms);
  exam.session.reset(session);
  if (status == WVDS_SUCCESS) return exam.findings().ok("est client", "est_service serves this user");
  add_refusal(exam, {Exit::kNoService, exam.service.socket + ": " + wvds_status_text(status)}, status);
}

void check_est_state(EstExamination& exam) {
  if (exam.session == nullptr) {
    return exam.findings().not_checked("certificate",
                                       "there is no session with est_service, which knows why it failed last",
                                       "see est socket and est client");
  }
  wvds_est_state probe{};
  if (waiting_out([&] { return wvds_est_status(exam.session.get(), &probe); }) == WVDS_DENIED) {
    return exam.findings().not_checked("certificate", "the configuration does not let this user ask for est-status",
                                       "add \"est-status\" to this client's operations, or run as one that has it");
  }
  auto state = ask_est(exam.session, exam.service.timeout_ms);
  if (!state) {
    return exam.findings().problem("certificate", state.error().message, "ask again; look into est_service's log");
  }
  exam.state = std::move(*state);
  check_ca(exam, *exam.state);
  for (const EstCertificate& certificate : certificates_of(*exam.state)) check_certificate(exam, certificate);
}

}  // namespace wvds::tool
