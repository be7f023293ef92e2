// What est_service needs of others: crypto_service, its rights there, and a clock.
#include <unistd.h>

#include <algorithm>

#include "access/principal.h"
#include "base/algorithm.h"
#include "est/certificate.h"
#include "est/schedule.h"
#include "est_service/build_time.h"
#include "tools/wvds/doctor/judge.h"
#include "tools/wvds/est/doctor/est_examination.h"

namespace wvds::tool {
namespace {

using protocol::Operation;

bool makes(const config::Est& est, bool (*is_kind)(Algorithm)) {
  return std::ranges::any_of(est.certificates, is_kind, &config::EstCertificate::key_type);
}

// needed_rights are those that enrolling, renewing and tidying up take.
std::vector<Operation> needed_rights(const config::Est& est) {
  std::vector<Operation> needed{Operation::kKeyGenerate, Operation::kKeyInfo, Operation::kKeyList,
                                Operation::kKeyPublic, Operation::kKeyDelete};
  if (makes(est, is_ml_dsa)) needed.push_back(Operation::kMlDsaSign);
  if (makes(est, is_ecdsa)) needed.push_back(Operation::kEcdsaSign);
  if (std::ranges::any_of(est.certificates, &config::EstCertificate::server_made_key))
    needed.push_back(Operation::kKeyImport);
  return needed;
}

void add_rights(EstExamination& exam, const access::Principal& principal) {
  std::string missing;
  for (const Operation operation : needed_rights(*exam.est())) {
    if (principal.may(operation)) continue;
    const auto* info = protocol::operation_info(static_cast<uint8_t>(operation));
    missing += (missing.empty() ? "\"" : ", \"") + std::string(info->config_name) + "\"";
  }
  const std::string who = "est_service is client \"" + principal.name() + "\" of crypto_service";
  if (missing.empty()) return exam.findings().ok("rights", who + " and has the rights that it needs");
  exam.findings().problem(
      "rights", who + " and lacks " + missing,
      "add " + missing + " to the operations of client \"" + principal.name() + "\", and reload crypto_service");
}

}  // namespace

std::string est_user_text(const EstExamination& exam) {
  return exam.peer ? std::to_string(exam.peer->user) : "USER (est_service's)";
}

// Whether crypto_service serves this user says nothing of est_service, unless that runs as this user.
void check_est_crypto_service(EstExamination& exam) {
  check_socket(exam.crypto);
  const bool is_same = exam.peer && exam.peer->user == ::geteuid();
  if (is_same) return check_session(exam.crypto);
  if (exam.crypto.is_served) {
    exam.findings().not_checked("client", "whether crypto_service serves est_service's user, this user can't try",
                                "run as " + est_user_text(exam) + ", or see rights");
  }
}

void check_est_rights(EstExamination& exam) {
  Findings& findings = exam.findings();
  if (exam.est() == nullptr) return findings.not_checked("rights", "the configuration could not be read");
  if (!exam.peer)
    return findings.not_checked("rights", "which user est_service runs as is not known",
                                "start it, or name the user with --user");
  const access::PrincipalTable table(exam.crypto.config->clients);
  const auto principal = table.resolve({exam.peer->user, exam.peer->group, 0, {}});
  if (principal != nullptr) return add_rights(exam, *principal);
  findings.problem("rights",
                   "crypto_service has no client for est_service's user " + std::to_string(exam.peer->user) +
                       ", group " + std::to_string(exam.peer->group),
                   "add a client with this uid or gid to clients in the configuration, and reload crypto_service");
}

void check_est_clock(EstExamination& exam) {
  Findings& findings = exam.findings();
  constexpr const char* kCure =
      "set it (timedatectl set-time, or a time service): without the time no certificate can be judged";
  if (!exam.now) return findings.problem("clock", "was never set", kCure);
  const std::string text = "shows " + est::time_text(*exam.now);
  switch (est::judge_clock(*exam.now, est_service::build_time(), 0)) {
    case est::ClockJudgement::kBehind:
      return findings.problem("clock", text + ", which is before this program was built", kCure);
    case est::ClockJudgement::kAhead: return findings.problem("clock", text + ", too far in the future", kCure);
    case est::ClockJudgement::kPlausible: return findings.ok("clock", text);
  }
}

}  // namespace wvds::tool
