#include "platform/linux/file_rules.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "platform/linux/folder_names.h"
#include "platform/linux/unique_fd.h"

// Of later versions than the headers that this is built with
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

namespace wvds::platform {
namespace {

constexpr uint64_t kReading = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWriting = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;
constexpr uint64_t kOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE | kWriting | LANDLOCK_ACCESS_FS_IOCTL_DEV;

// all_rights are those that a version knows: each one that is not granted is refused.
uint64_t all_rights(int version) {
  uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (version >= 2) rights |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (version >= 5) rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  return rights;
}

uint64_t rights_of(FileAccess access) {
  switch (access) {
    case FileAccess::kRead: return kReading;
    case FileAccess::kChange:
      return kReading | kWriting | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR |
             LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR;
    case FileAccess::kSocket:
      return LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
             LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;
    case FileAccess::kDevice: return LANDLOCK_ACCESS_FS_READ_FILE | kWriting | LANDLOCK_ACCESS_FS_IOCTL_DEV;
  }
  return 0;
}

std::unexpected<Error> refused(const std::string& what) {
  const int cause = errno;
  return fail(Status::kInternalError, "files can't be confined: " + what + ": " + std::strerror(cause));
}

// number_of_threads is 0 where it can't be told.
size_t number_of_threads() {
  const UniqueFd folder(::open("/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return 0;
  const auto names = folder_names(folder.get());
  return names ? names->size() : 0;
}

// Ruleset is what will be allowed, until it is put in force.
class Ruleset {
 public:
  static Result<Ruleset> make() {
    const int version = landlock_version();
    if (version < 1) return fail(Status::kUnsupported, "this kernel has no Landlock");
    if (number_of_threads() > 1) return fail(Status::kInternalError, "files are to be confined before threads start");
    landlock_ruleset_attr attributes{};
    attributes.handled_access_fs = all_rights(version);
    const long fd = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (fd < 0) return refused("no set of rules");
    return Ruleset(UniqueFd(static_cast<int>(fd)), attributes.handled_access_fs);
  }

  // allow passes over what does not exist or can't be reached: that stays so.
  Result<> allow(const std::string& path, uint64_t rights) {
    const UniqueFd place(::open(path.c_str(), O_PATH | O_CLOEXEC));
    if (!place && (errno == EMFILE || errno == ENFILE || errno == ENOMEM)) return refused(path);
    struct stat facts{};
    if (!place || ::fstat(place.get(), &facts) != 0) return {};
    landlock_path_beneath_attr rule{};
    rule.allowed_access = rights & known_ & (S_ISDIR(facts.st_mode) ? ~uint64_t{0} : kOfFiles);
    rule.parent_fd = place.get();
    if (::syscall(SYS_landlock_add_rule, fd_.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0) return {};
    return refused(path);
  }

  Result<> put_in_force() {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("new privileges");
    if (::syscall(SYS_landlock_restrict_self, fd_.get(), 0) != 0) return refused("the kernel refuses the rules");
    return {};
  }

  uint64_t all() const { return known_; }

 private:
  Ruleset(UniqueFd fd, uint64_t known) : fd_(std::move(fd)), known_(known) {}

  UniqueFd fd_;
  uint64_t known_;
};

// real_path is empty where there is no such file.
std::string real_path(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) == nullptr ? std::string() : std::string(resolved);
}

std::string folder_part(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool is_link(const std::string& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) != 0 || S_ISLNK(facts.st_mode);
}

// names_towards are what leads from a folder to hidden places: all that can be told of a folder that can't be listed.
std::vector<std::string> names_towards(const std::vector<std::string>& hidden, const std::string& below) {
  std::vector<std::string> names;
  for (const std::string& path : hidden) {
    if (!path.starts_with(below)) continue;
    const std::string name = path.substr(below.size(), path.find('/', below.size()) - below.size());
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

std::vector<std::string> names_in(const std::string& path, const std::vector<std::string>& towards) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  auto names = folder ? folder_names(folder.get()) : std::nullopt;
  if (names) return std::move(*names);
  return towards;
}

// allow_but allows `path` with all below it but `hidden`. All paths are real ones.
// NOLINTNEXTLINE(misc-no-recursion): as deep as a hidden place's path
Result<> allow_but(Ruleset& rules, const std::string& path, const std::vector<std::string>& hidden) {
  if (std::ranges::find(hidden, path) != hidden.end()) return {};
  const std::string below = path == "/" ? "/" : path + "/";
  const std::vector<std::string> towards = names_towards(hidden, below);
  if (towards.empty()) return rules.allow(path, rules.all());
  for (const std::string& name : names_in(path, towards)) {
    if (!is_link(below + name)) WVDS_TRY(allow_but(rules, below + name, hidden));
  }
  return {};
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

Result<> confine_files(const std::vector<FileRule>& rules) {
  WVDS_ASSIGN(set, Ruleset::make());
  for (const FileRule& rule : rules) WVDS_TRY(set.allow(rule.path, rights_of(rule.access)));
  return set.put_in_force();
}

Result<> hide_files(const std::vector<std::string>& hidden) {
  WVDS_ASSIGN(set, Ruleset::make());
  std::vector<std::string> real;
  for (const std::string& path : hidden) {
    if (std::string found = real_path(path); !found.empty()) real.push_back(std::move(found));
  }
  WVDS_TRY(allow_but(set, "/", real));
  return set.put_in_force();
}

std::vector<std::string> folders_of(const std::string& file) {
  std::vector<std::string> out{folder_part(file)};
  if (const std::string real = real_path(file); !real.empty() && folder_part(real) != out[0])
    out.push_back(folder_part(real));
  return out;
}

}  // namespace wvds::platform
