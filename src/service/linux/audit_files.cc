#include "service/linux/audit_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>

#include "platform/linux/access.h"
#include "platform/linux/folder_names.h"
#include "platform/linux/whole_io.h"

namespace wvds::service {
namespace {

constexpr uint64_t kMostBytes = 1u << 30;  // of a file that is read
constexpr unsigned kMostNames = 1000;

}  // namespace

std::unexpected<Error> AuditFiles::failed(const std::string& name, const char* what) const {
  const int cause = errno;
  return fail(Status::kStorageError, folder_path_ + "/" + name + ": cannot " + what + ": " + std::strerror(cause));
}

Result<> AuditFiles::open_folder() {
  if (folder_) return {};
  if (::mkdir(folder_path_.c_str(), 0700) != 0 && errno != EEXIST) return failed("", "make this folder");
  platform::UniqueFd folder(::open(folder_path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat facts{};
  if (!folder || ::fstat(folder.get(), &facts) != 0) return failed("", "open this folder");
  if (const auto who = platform::others_who_can_write(folder.get(), facts)) {
    return fail(Status::kStorageError,
                folder_path_ + ": " + *who + " can write this folder; chmod 700 it and chown it to the service's user");
  }
  folder_ = std::move(folder);
  return {};
}

Result<> AuditFiles::open_current(int flags) {
  WVDS_TRY(open_folder());
  if (current_) return {};
  current_ = platform::UniqueFd(
      ::openat(folder_.get(), kCurrentAuditFile, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC | flags, 0600));
  return current_ ? Result<>{} : failed(kCurrentAuditFile, "open");
}

Result<std::string> AuditFiles::read(const std::string& name) {
  const platform::UniqueFd file(::openat(folder_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::string();
  struct stat facts{};
  if (!file || ::fstat(file.get(), &facts) != 0) return failed(name, "open");
  errno = EFBIG;
  if (static_cast<uint64_t>(facts.st_size) > kMostBytes) return failed(name, "read");
  std::string text(static_cast<size_t>(facts.st_size), '\0');
  const ssize_t size = platform::read_whole(file.get(), std::as_writable_bytes(std::span(text)));
  if (size < 0) return failed(name, "read");
  text.resize(static_cast<size_t>(size));
  return text;
}

Result<std::string> AuditFiles::read_current() {
  WVDS_TRY(open_folder());
  return read(kCurrentAuditFile);
}

Result<std::string> AuditFiles::read_former() {
  WVDS_TRY(open_folder());
  const auto names = platform::folder_names(folder_.get());
  if (!names) return failed("", "list this folder");
  const std::vector<std::string> former = former_audit_files(*names);
  return former.empty() ? Result<std::string>(std::string()) : read(former.back());
}

// What was written of a line that did not fit is taken back, so that the next one begins where a line begins.
Result<> AuditFiles::append(std::string_view line, bool durable) {
  const bool is_new = !current_;
  WVDS_TRY(open_current(O_CREAT));
  struct stat facts{};
  if (::fstat(current_.get(), &facts) != 0) return failed(kCurrentAuditFile, "look at");
  Result<> written =
      platform::write_whole(current_.get(), as_bytes(line)) ? Result<>{} : failed(kCurrentAuditFile, "write");
  if (written && durable && ::fdatasync(current_.get()) != 0) written = failed(kCurrentAuditFile, "sync");
  if (written && is_new && ::fsync(folder_.get()) != 0) written = failed("", "sync this folder");
  if (!written && ::ftruncate(current_.get(), facts.st_size) != 0) current_ = {};
  return written;
}

Result<> AuditFiles::cut(uint64_t size) {
  WVDS_TRY(open_current(0));
  if (::ftruncate(current_.get(), static_cast<off_t>(size)) != 0) return failed(kCurrentAuditFile, "shorten");
  return {};
}

Result<> AuditFiles::close_current(uint64_t number, bool damaged) {
  WVDS_TRY(open_folder());
  current_ = {};
  const std::string plain = former_audit_name(number);
  const std::string stem = plain.substr(0, plain.size() - 4) + (damaged ? "-damaged" : "");
  std::string name = stem + ".log";
  for (unsigned copy = 2; ::faccessat(folder_.get(), name.c_str(), F_OK, 0) == 0 && copy < kMostNames; ++copy)
    name = stem + "-" + std::to_string(copy) + ".log";
  if (::renameat(folder_.get(), kCurrentAuditFile, folder_.get(), name.c_str()) != 0 && errno != ENOENT)
    return failed(kCurrentAuditFile, "rename");
  if (!damaged) prune();
  return ::fsync(folder_.get()) == 0 ? Result<>{} : failed("", "sync this folder");
}

void AuditFiles::prune() {
  const std::vector<std::string> former =
      former_audit_files(platform::folder_names(folder_.get()).value_or(std::vector<std::string>()));
  for (size_t i = 0; i + files_ - 1 < former.size(); ++i) ::unlinkat(folder_.get(), former[i].c_str(), 0);
}

}  // namespace wvds::service
