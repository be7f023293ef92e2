#include "platform/linux/trusted_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "platform/linux/access.h"
#include "platform/linux/unique_fd.h"

namespace wvds::platform {
namespace {

std::unexpected<Error> distrust(const std::string& path, const std::string& why) {
  return fail(Status::kStorageError, path + ": " + why);
}

Result<> check_opened(const std::string& path, int fd, bool is_folder) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0) return distrust(path, std::string("can't be examined: ") + std::strerror(errno));
  if (!is_folder && !S_ISREG(facts.st_mode)) return distrust(path, "is not a regular file");
  const auto who = others_who_can_write(fd, facts);
  if (!who) return {};
  const bool is_owned = facts.st_uid == 0 || facts.st_uid == ::geteuid();
  if (is_folder && is_owned && (facts.st_mode & S_ISVTX) != 0) return {};
  return distrust(path, *who + " can write it, and so decide what this service runs: make it root's, with mode 0755");
}

// O_NONBLOCK: opening a FIFO by mistake must not wait for its writer. O_PATH: a folder need not be readable.
Result<> check_one(const std::string& path, bool is_folder) {
  const UniqueFd fd(::open(path.c_str(), O_CLOEXEC | (is_folder ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK)));
  if (!fd) return distrust(path, std::string("can't be opened: ") + std::strerror(errno));
  return check_opened(path, fd.get(), is_folder);
}

// check_folders examines each folder above `path`, as it is written.
Result<> check_folders(const std::string& path) {
  WVDS_TRY(check_one("/", true));
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    WVDS_TRY(check_one(path.substr(0, slash), true));
  return {};
}

struct Free {
  void operator()(char* text) const { std::free(text); }
};

}  // namespace

Result<std::string> trusted_file(const std::string& path) {
  const std::unique_ptr<char, Free> real(::realpath(path.c_str(), nullptr));
  if (real == nullptr) return distrust(path, std::string("can't be found: ") + std::strerror(errno));
  std::string file = real.get();
  if (file != path) WVDS_TRY(check_folders(path));
  WVDS_TRY(check_folders(file));
  WVDS_TRY(check_one(file, false));
  return file;
}

}  // namespace wvds::platform
