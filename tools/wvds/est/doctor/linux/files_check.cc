// est_service's user, its folder, and the files that its section names.
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/linux/system_users.h"
#include "crypto/library.h"
#include "est_service/credentials.h"
#include "tools/wvds/doctor/linux/user_access.h"
#include "tools/wvds/doctor/system.h"
#include "tools/wvds/est/doctor/est_examination.h"
#include "tools/wvds/est/doctor/judge_certificates.h"

namespace wvds::tool {
namespace {

constexpr mode_t kRead = 4;
constexpr mode_t kForOthers = 077;

std::optional<uint32_t> user_number(const std::string& user) {
  const bool is_number = !user.empty() && user.size() < 10 && user.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? static_cast<uint32_t>(std::stoul(user)) : config::SystemUsers().user_id(user);
}

SocketPeer process_of(uint32_t user) {
  const passwd* entry = ::getpwuid(user);
  return {user, entry == nullptr ? user : entry->pw_gid, 0};
}

// facts_of says in the findings why there are none.
bool facts_of(EstExamination& exam, const char* check, const std::string& path, struct stat& facts) {
  if (::stat(path.c_str(), &facts) == 0) return true;
  if (errno == EACCES) {
    exam.findings().not_checked(check, path + " is not for this user", "run as root or as est_service's user");
  } else {
    exam.findings().problem(check, path + ": " + std::strerror(errno),
                            "put it there, or correct the path in the configuration");
  }
  return false;
}

bool may_read(EstExamination& exam, const char* check, const std::string& path, const struct stat& facts) {
  if (!exam.peer || may_access(exam.peer->user, facts, kRead)) return true;
  exam.findings().problem(check, path + " can't be read by est_service's user, " + est_user_text(exam),
                          "chown " + est_user_text(exam) + " " + path + ", or chgrp it and chmod 640");
  return false;
}

// certificates_in reads a PEM file that est_service reads too.
std::optional<std::vector<est::Certificate>> certificates_in(EstExamination& exam, const char* check,
                                                             const std::string& path) {
  struct stat facts{};
  if (!facts_of(exam, check, path, facts) || !may_read(exam, check, path, facts)) return std::nullopt;
  if (is_forbidden(path)) {
    exam.findings().not_checked(check, path + " is not for this user", "run as root or as est_service's user");
    return std::nullopt;
  }
  crypto::LibraryConfig plain;
  plain.fips = crypto::FipsMode::kOff;
  const auto library = crypto::Library::load(plain);
  if (!library) {
    exam.findings().not_checked(check, library.error().detail);
    return std::nullopt;
  }
  auto list = est_service::read_certificates(**library, path);
  if (list) return std::move(*list);
  exam.findings().problem(check, list.error().detail, est::failure_advice(list.error().kind));
  return std::nullopt;
}

// A secret that others can read is refused by est_service.
void check_secret(EstExamination& exam, const char* check, const std::string& path) {
  struct stat facts{};
  if (!facts_of(exam, check, path, facts) || !may_read(exam, check, path, facts)) return;
  if ((facts.st_mode & kForOthers) != 0) {
    return exam.findings().problem(check, path + " can be read by others", "chmod 600 " + path);
  }
  if (facts.st_size == 0) return exam.findings().problem(check, path + " is empty", "put the secret into it");
  exam.findings().ok(check, path + " is for est_service's user only");
}

bool has_valid_certificate(const EstExamination& exam) {
  if (exam.state == nullptr) return false;
  for (const EstCertificate& certificate : certificates_of(*exam.state)) {
    if (!is_good(certificate)) return false;
  }
  return true;
}

void check_anchors(EstExamination& exam, const std::string& path) {
  if (path.empty()) return;
  if (const auto anchors = certificates_in(exam, "trust", path))
    judge_anchors(exam.findings(), path, *anchors, exam.now.value_or(0));
}

void check_password(EstExamination& exam, const config::EstCredential& credential) {
  if (credential.username.empty()) return;
  if (!credential.password.file.empty()) return check_secret(exam, "password", credential.password.file);
  exam.findings().not_checked("password",
                              "the service manager hands it over, as \"" + credential.password.credential + "\"");
}

}  // namespace

void find_est_user(EstExamination& exam) {
  struct stat facts{};
  if (!exam.user.empty()) {
    const auto user = user_number(exam.user);
    if (user) {
      exam.peer = process_of(*user);
    } else {
      exam.peer.reset();
      exam.findings().problem("user", "there is no user \"" + exam.user + "\"", "name one with --user");
    }
  } else if (!exam.peer && exam.est() != nullptr && ::stat(exam.est()->folder.c_str(), &facts) == 0) {
    exam.peer = process_of(facts.st_uid);
  }
}

void check_est_folder(EstExamination& exam) {
  if (exam.est() == nullptr) return;
  struct stat facts{};
  const std::string& path = exam.est()->folder;
  if (::stat(path.c_str(), &facts) != 0 && errno == ENOENT) {
    return exam.findings().ok("folder", path + " is not there yet; est_service makes it at its first start");
  }
  if (!facts_of(exam, "folder", path, facts)) return;
  const bool is_own = S_ISDIR(facts.st_mode) && (!exam.peer || facts.st_uid == exam.peer->user);
  if (is_own) return exam.findings().ok("folder", path + " is est_service's");
  exam.findings().problem("folder", path + " is not a folder of est_service's user, " + est_user_text(exam),
                          "chown -R " + est_user_text(exam) + " " + path);
}

void check_est_files(EstExamination& exam) {
  const config::Est* est = exam.est();
  if (est == nullptr) return exam.findings().not_checked("trust", "the configuration could not be read");
  check_anchors(exam, est->trust.anchors_file);
  check_anchors(exam, est->trust.implicit_anchors_file);
  const config::EstCredential& credential = est->credential;
  check_password(exam, credential);
  if (!credential.key_file.empty()) check_secret(exam, "credential key", credential.key_file);
  if (credential.certificate_file.empty()) return;
  if (const auto chain = certificates_in(exam, "credential", credential.certificate_file)) {
    const bool is_needed = !has_valid_certificate(exam) && credential.username.empty();
    judge_credential(exam.findings(), credential.certificate_file, chain->front(), is_needed, exam.now.value_or(0));
  }
}

}  // namespace wvds::tool
