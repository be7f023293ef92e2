// The configuration, and who the service's user is.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "config/linux/system_users.h"
#include "service/linux/load_config.h"
#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/doctor/linux/user_access.h"
#include "tools/wvds/doctor/system.h"

namespace wvds::tool {
namespace {

constexpr mode_t kRead = 4;

std::optional<uint32_t> user_number(const std::string& user) {
  const bool is_number = !user.empty() && user.size() < 10 && user.find_first_not_of("0123456789") == std::string::npos;
  return is_number ? static_cast<uint32_t>(std::stoul(user)) : config::SystemUsers().user_id(user);
}

void add_problems(Findings& findings, const std::string& messages) {
  std::istringstream lines(messages);
  for (std::string line; std::getline(lines, line);) {
    findings.problem("config", line, "correct it; wvds_crypto_service --check-config shows whether it is right");
  }
}

}  // namespace

std::string run_as(const Examination& exam) {
  return exam.service_user && *exam.service_user != 0
             ? "run as root, or as the service's user, " + std::to_string(*exam.service_user)
             : "run as root";
}

void check_config(Examination& exam) {
  const std::string& path = exam.config_path;
  if (is_forbidden(path)) return exam.findings.not_checked("config", path + " is not for this user", run_as(exam));
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    return exam.findings.problem("config", path + " is not there",
                                 "write it (docs/config.md), or name the right one with --config");
  }
  auto config = service::load_config(path);
  if (!config) return add_problems(exam.findings, config.error());
  exam.findings.ok("config", path + " is right");
  exam.config = std::move(*config);
}

void find_service_user(Examination& exam) {
  if (!exam.user.empty()) {
    exam.service_user = user_number(exam.user);
    if (!exam.service_user)
      exam.findings.problem("user", "there is no user \"" + exam.user + "\"", "name one with --user");
    return;
  }
  struct stat facts{};
  if (exam.service_user || !exam.config) return;  // the running service told it
  if (::stat(exam.config->store.path.c_str(), &facts) == 0) exam.service_user = facts.st_uid;
}

void check_config_readable(Examination& exam) {
  struct stat facts{};
  if (!exam.config || !exam.service_user || ::stat(exam.config_path.c_str(), &facts) != 0) return;
  if (may_access(*exam.service_user, facts, kRead)) return;
  exam.findings.problem(
      "config", exam.config_path + " can't be read by the service's user, " + std::to_string(*exam.service_user),
      "chgrp it to that user's group and chmod 640 it");
}

}  // namespace wvds::tool
