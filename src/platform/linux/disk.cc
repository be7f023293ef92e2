#include "platform/disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/secret.h"
#include "platform/linux/access.h"
#include "platform/linux/folder_names.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

namespace wvds::platform {
namespace {

std::unexpected<Error> refuse(const std::string& path, std::string_view why) {
  return fail(Status::kStorageError, path + ": " + std::string(why));
}

std::unexpected<Error> failed(const std::string& path, std::string_view what) {
  const int cause = errno;
  return refuse(path, std::string("cannot ") + std::string(what) + ": " + ::strerror(cause));
}

Result<> sync_descriptor(int fd, const std::string& path, SyncPoint point) {
  if (retried([&] { return ::fsync(fd); }) == 0) return {};
  return failed(path, std::string("sync (") + sync_point_name(point) + ")");
}

// read_all returns less than asked for only at the end of the file.
Result<size_t> read_all(int fd, const std::string& path, MutableBytes out) {
  const ssize_t size = read_whole(fd, out);
  if (size < 0) return failed(path, "read");
  return static_cast<size_t>(size);
}

class LinuxFile : public DiskFile {
 public:
  LinuxFile(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<> write(Bytes content) override {
    if (!write_whole(fd_.get(), content)) return failed(path_, "write");
    return {};
  }

  Result<> sync(SyncPoint point) override { return sync_descriptor(fd_.get(), path_, point); }

 private:
  UniqueFd fd_;
  std::string path_;
};

class LinuxDisk : public Disk {
 public:
  explicit LinuxDisk(std::string_view folder) : path_(folder) {
    while (path_.size() > 1 && path_.ends_with('/')) path_.pop_back();
  }

  const std::string& path() const override { return path_; }

  Result<> make_folder() override {
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST) return failed(path_, "make this folder");
    return use_folder();
  }

  Result<> use_folder() override {
    folder_ = UniqueFd(retried([&] { return ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!folder_) return failed(path_, "open this folder");
    struct stat facts{};
    if (::fstat(folder_.get(), &facts) != 0) return failed(path_, "look at this folder");
    if (auto who = others_who_can_write(folder_.get(), facts)) {
      return refuse(path_, *who + " can write this folder; chmod 700 it and chown it to the service's user");
    }
    return {};
  }

  Result<> lock() override {
    if (retried([&] { return ::flock(folder_.get(), LOCK_EX | LOCK_NB); }) == 0) return {};
    if (errno == EWOULDBLOCK)
      return refuse(path_, "another service uses this folder; stop it, or use a folder of its own");
    return failed(path_, "lock this folder");
  }

  Result<std::vector<std::string>> list() override {
    auto names = folder_names(folder_.get());
    if (!names) return failed(path_, "list this folder");
    return std::move(*names);
  }

  Result<std::vector<std::byte>> read(std::string_view name, size_t limit) override {
    struct stat facts{};
    WVDS_ASSIGN(fd, open_file(name, facts));
    if (static_cast<uint64_t>(facts.st_size) > limit)
      return refuse(in_folder(name), "longer than any file of this kind");
    std::vector<std::byte> content(static_cast<size_t>(facts.st_size));
    WVDS_ASSIGN(size, read_all(fd.get(), in_folder(name), content));
    content.resize(size);
    return content;
  }

  Result<size_t> read_secret(std::string_view name, MutableBytes out) override {
    auto size = read_secret_checked(name, out);
    if (!size) secure_wipe(out.data(), out.size());
    return size;
  }

  Result<std::unique_ptr<DiskFile>> create(std::string_view name) override {
    const std::string plain(name);
    UniqueFd fd(retried([&] {
      return ::openat(folder_.get(), plain.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }));
    if (!fd) return failed(in_folder(name), "create");
    return std::make_unique<LinuxFile>(std::move(fd), in_folder(name));
  }

  Result<> rename(std::string_view from, std::string_view to) override {
    const std::string source(from), target(to);
    if (::renameat(folder_.get(), source.c_str(), folder_.get(), target.c_str()) == 0) return {};
    return failed(in_folder(to), "replace");
  }

  Result<> unlink(std::string_view name) override {
    const std::string plain(name);
    if (::unlinkat(folder_.get(), plain.c_str(), 0) == 0 || errno == ENOENT) return {};
    return failed(in_folder(name), "remove");
  }

  Result<> sync_folder(SyncPoint point) override { return sync_descriptor(folder_.get(), path_, point); }

  Result<> sync_parent(SyncPoint point) override {
    const UniqueFd parent(::openat(folder_.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) return sync_descriptor(parent.get(), path_ + "/..", point);
    if (errno != EACCES) return failed(path_ + "/..", "open");
    // A parent that may be passed but not opened (service managers make such ones): its whole file system instead.
    if (::syncfs(folder_.get()) == 0) return {};
    return failed(path_, "sync the file system of");
  }

 private:
  std::string in_folder(std::string_view name) const { return path_ + "/" + std::string(name); }

  Result<UniqueFd> open_file(std::string_view name, struct stat& facts) {
    const std::string plain(name);
    // O_NONBLOCK: a planted pipe must not stop the service.
    UniqueFd fd(retried(
        [&] { return ::openat(folder_.get(), plain.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC); }));
    if (!fd && errno == ENOENT) return fail(Status::kKeyNotFound, in_folder(name) + ": no such file");
    if (!fd && errno == ELOOP) return refuse(in_folder(name), "a symbolic link; name the file itself");
    if (!fd) return failed(in_folder(name), "open");
    if (::fstat(fd.get(), &facts) != 0) return failed(in_folder(name), "look at");
    if (!S_ISREG(facts.st_mode)) return refuse(in_folder(name), "not a regular file");
    return fd;
  }

  Result<size_t> read_secret_checked(std::string_view name, MutableBytes out) {
    struct stat facts{};
    WVDS_ASSIGN(fd, open_file(name, facts));
    if (auto who = others_who_can_read(fd.get(), facts)) {
      return refuse(in_folder(name),
                    *who + " can read or change this file; chmod 600 it and chown it to the service's user");
    }
    if (static_cast<uint64_t>(facts.st_size) > out.size())
      return refuse(in_folder(name), "longer than any file of this kind");
    return read_all(fd.get(), in_folder(name), out);
  }

  std::string path_;
  UniqueFd folder_;
};

}  // namespace

std::unique_ptr<Disk> open_disk(std::string_view folder) { return std::make_unique<LinuxDisk>(folder); }

}  // namespace wvds::platform
