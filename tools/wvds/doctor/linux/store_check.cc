// The store, what unlocks it, and the disk it lies on.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "platform/linux/access.h"
#include "platform/linux/unique_fd.h"
#include "tools/wvds/doctor/examination.h"
#include "tools/wvds/doctor/judge.h"

namespace wvds::tool {
namespace {

using platform::UniqueFd;

constexpr off_t kKeyFileSize = 32;  // docs/storage-format.md

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string user_text(const Examination& exam) {
  return exam.service_user ? std::to_string(*exam.service_user) : "USER (the service's)";
}

uint32_t trusted_user(const Examination& exam) { return exam.service_user.value_or(::geteuid()); }

// open_for_look says in `findings` why something can't be looked at.
UniqueFd open_for_look(Examination& exam, const char* check, const std::string& path, int flags) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | flags));
  if (file || errno == ENOENT) return file;
  const int cause = errno;
  if (cause == EACCES) {
    exam.findings.not_checked(check, path + " is not for this user", run_as(exam));
  } else if (cause == ELOOP) {
    exam.findings.problem(check, path + " is a symbolic link", "name the file itself in the configuration");
  } else {
    exam.findings.problem(check, path + ": " + std::strerror(cause), "correct the path in the configuration");
  }
  return file;
}

bool is_safe_folder(Examination& exam, const char* check, const std::string& path, const UniqueFd& folder) {
  struct stat facts{};
  if (::fstat(folder.get(), &facts) != 0) return false;
  const auto who = platform::others_who_can_write(folder.get(), facts, trusted_user(exam));
  if (!who) return true;
  exam.findings.problem(check, path + ": " + *who + " can write this folder",
                        "chmod 700 " + path + "; chown " + user_text(exam) + " " + path);
  return false;
}

struct StoreContent {
  bool has_header = false;
  bool has_keys = false;
};

StoreContent content_of(const std::string& path) {
  StoreContent content;
  DIR* const folder = ::opendir(path.c_str());
  if (folder == nullptr) return content;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    content.has_header |= name == "header-a" || name == "header-b";
    content.has_keys |= name.starts_with("k-");
  }
  ::closedir(folder);
  return content;
}

void check_missing_store(Examination& exam, const std::string& path) {
  const std::string parent = parent_of(path);
  if (::access(parent.c_str(), F_OK) == 0) {
    return exam.findings.ok("store", path + " is not there yet; the service makes it at its first start");
  }
  const bool is_hidden = errno == EACCES;
  if (is_hidden) return exam.findings.not_checked("store", path + " is not for this user", run_as(exam));
  exam.findings.problem("store", path + ": neither this folder nor the one above it is there",
                        "install -d -m 700 -o " + user_text(exam) + " " + path);
}

// Secret is what the configured protector is unlocked with.
struct Secret {
  const config::SecretSource& source;
  const char* check;        // what the findings call it
  bool is_made_by_service;  // with the store, where it is missing
  off_t size;               // 0: any
};

Secret secret_of(const config::Store& store) {
  switch (store.protector) {
    case config::ProtectorKind::kTpm: return {store.tpm->auth, "authorisation", true, kKeyFileSize};
    case config::ProtectorKind::kHsm: return {store.hsm->pin, "PIN", false, 0};
    case config::ProtectorKind::kFile: break;
  }
  if (store.file->key.is_set()) return {store.file->key, "key file", true, kKeyFileSize};
  return {store.file->passphrase, "passphrase", false, 0};
}

void check_missing_secret(Examination& exam, const Secret& secret) {
  const std::string& path = secret.source.file;
  if (!secret.is_made_by_service)
    return exam.findings.problem(secret.check, path + " is not there", "put it there, mode 600");
  if (content_of(exam.config->store.path).has_header) {
    return exam.findings.problem(secret.check, path + " is not there; without it the store can't be opened",
                                 "put it back from its backup");
  }
  if (::access(parent_of(path).c_str(), F_OK) != 0) {
    return exam.findings.problem(secret.check, parent_of(path) + ": this folder is not there",
                                 "install -d -m 700 -o " + user_text(exam) + " " + parent_of(path));
  }
  exam.findings.ok(secret.check, path + " is not there yet; the service makes it with the store");
}

void check_secret(Examination& exam, const Secret& secret, const UniqueFd& file) {
  const std::string& path = secret.source.file;
  struct stat facts{};
  if (::fstat(file.get(), &facts) != 0) return;
  if (!S_ISREG(facts.st_mode)) {
    return exam.findings.problem(secret.check, path + " is no regular file", "correct the path in the configuration");
  }
  if (const auto who = platform::others_who_can_read(file.get(), facts, trusted_user(exam))) {
    return exam.findings.problem(secret.check, path + ": " + *who + " can read or change this file",
                                 "chmod 600 " + path + "; chown " + user_text(exam) + " " + path +
                                     "; if others may have read it, move the keys to a new store");
  }
  if (secret.size != 0 && facts.st_size != secret.size) {
    return exam.findings.problem(secret.check,
                                 path + " has " + std::to_string(facts.st_size) + " bytes, where 32 are needed",
                                 "put it back from its backup");
  }
  exam.findings.ok(secret.check, path + " is for the service's user only");
}

void check_secret_file(Examination& exam, const Secret& secret) {
  const std::string& path = secret.source.file;
  const size_t before = exam.findings.all().size();
  const UniqueFd folder = open_for_look(exam, secret.check, parent_of(path), O_DIRECTORY);
  if (exam.findings.all().size() > before) return;
  if (folder && !is_safe_folder(exam, secret.check, parent_of(path), folder)) return;
  const UniqueFd file = open_for_look(exam, secret.check, path, O_NOFOLLOW);
  if (exam.findings.all().size() > before) return;
  if (!file) return check_missing_secret(exam, secret);
  check_secret(exam, secret, file);
}

// Whether a module serves well, the service finds out when it starts; loading it here could run somebody else's code.
void check_module(Examination& exam, const char* check, const std::string& module, const char* section) {
  const size_t before = exam.findings.all().size();
  const UniqueFd file = open_for_look(exam, check, module, 0);
  if (exam.findings.all().size() > before) return;
  struct stat facts{};
  if (!file || ::fstat(file.get(), &facts) != 0) {
    return exam.findings.problem(check, module + " is not there: the service does not start",
                                 std::string("install the module, or correct ") + section + " in the configuration");
  }
  if (const auto who = platform::others_who_can_write(file.get(), facts, trusted_user(exam))) {
    return exam.findings.problem(check, module + ": " + *who + " can write it: the service does not load it",
                                 "chown root " + module + "; chmod 755 " + module);
  }
  exam.findings.ok(check, module + " is there");
}

// existing gives the path, or the nearest folder above it that is there.
std::string existing(std::string path) {
  while (path.size() > 1 && ::access(path.c_str(), F_OK) != 0) path = parent_of(path);
  return path;
}

}  // namespace

void check_store(Examination& exam) {
  if (!exam.config) return exam.findings.not_checked("store", "the configuration could not be read");
  const std::string& path = exam.config->store.path;
  const size_t before = exam.findings.all().size();
  const UniqueFd folder = open_for_look(exam, "store", path, O_DIRECTORY);
  if (exam.findings.all().size() > before) return;
  if (!folder) return check_missing_store(exam, path);
  if (!is_safe_folder(exam, "store", path, folder)) return;
  const StoreContent content = content_of(path);
  if (content.has_keys && !content.has_header) {
    return exam.findings.problem("store", path + " has keys but neither header-a nor header-b: it can't be opened",
                                 "put the store back from its backup");
  }
  exam.findings.ok("store", path + " is for the service's user only");
}

void check_protector(Examination& exam) {
  if (!exam.config) return exam.findings.not_checked("protector", "the configuration could not be read");
  if (exam.config->store.protector == config::ProtectorKind::kHsm)
    check_module(exam, "token module", exam.config->store.hsm->module, "store.hsm.module");
  const Secret secret = secret_of(exam.config->store);
  if (!secret.source.file.empty()) return check_secret_file(exam, secret);
  exam.findings.not_checked(secret.check, secret.source.prompt
                                              ? "the PIN is typed in at start"
                                              : "the service manager hands it over as a credential at start");
}

void check_disk(Examination& exam) {
  if (!exam.config) return exam.findings.not_checked("disk", "the configuration could not be read");
  const std::string path = existing(exam.config->store.path);
  struct statvfs facts{};
  if (::statvfs(path.c_str(), &facts) != 0) {
    return exam.findings.not_checked("disk", path + ": " + std::strerror(errno), run_as(exam));
  }
  exam.findings.add(judge_space(path, {static_cast<uint64_t>(facts.f_bavail) * facts.f_frsize,
                                       static_cast<uint64_t>(facts.f_favail), facts.f_files != 0}));
}

void check_engines(Examination& exam) {
  if (!exam.config) return;
  for (const config::Engine& engine : exam.config->engines) check_module(exam, "engine", engine.module, "engines");
}

}  // namespace wvds::tool
