#include "platform/disk.h"

#include <cstdio>
#include <string>

#include "base/secret.h"

namespace wvds::platform {
namespace {

// RomDisk is the folder of boot modules: files that nobody can change while the system runs.
class RomDisk : public Disk {
 public:
  explicit RomDisk(std::string_view folder) : path_(folder) {}

  const std::string& path() const override { return path_; }
  Result<> make_folder() override { return {}; }
  Result<> use_folder() override { return {}; }
  Result<> lock() override { return {}; }
  Result<std::vector<std::string>> list() override { return refuse("listing"); }

  Result<std::vector<std::byte>> read(std::string_view name, size_t limit) override {
    WVDS_ASSIGN(file, open(name));
    std::vector<std::byte> content(limit + 1);
    const size_t length = std::fread(content.data(), 1, content.size(), file.get());
    if (std::ferror(file.get()) != 0) return fail(Status::kStorageError, full(name) + ": can't be read");
    if (length > limit)
      return fail(Status::kStorageError, full(name) + ": larger than " + std::to_string(limit) + " bytes");
    content.resize(length);
    return content;
  }

  Result<size_t> read_secret(std::string_view name, MutableBytes out) override {
    WVDS_ASSIGN(file, open(name));
    std::setvbuf(file.get(), nullptr, _IONBF, 0);  // no copy of it in the C library
    const size_t length = std::fread(out.data(), 1, out.size(), file.get());
    char more = 0;
    if (std::ferror(file.get()) == 0 && std::fread(&more, 1, 1, file.get()) == 0) return length;
    secure_wipe(out.data(), out.size());
    return fail(Status::kStorageError, full(name) + ": can't be read, or is too long");
  }

  Result<std::unique_ptr<DiskFile>> create(std::string_view) override { return refuse("creating"); }
  Result<> rename(std::string_view, std::string_view) override { return refuse("renaming"); }
  Result<> unlink(std::string_view) override { return refuse("removing"); }
  Result<> sync_folder(SyncPoint) override { return {}; }
  Result<> sync_parent(SyncPoint) override { return {}; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  using File = std::unique_ptr<std::FILE, Close>;

  std::string full(std::string_view name) const { return path_ + "/" + std::string(name); }

  Result<File> open(std::string_view name) const {
    File file(std::fopen(full(name).c_str(), "rb"));
    if (file == nullptr) return fail(Status::kKeyNotFound, full(name) + ": no such boot module");
    return file;
  }

  std::unexpected<Error> refuse(const char* what) const {
    return fail(Status::kStorageError, path_ + ": boot modules are read only, no " + what);
  }

  const std::string path_;
};

}  // namespace

std::unique_ptr<Disk> open_disk(std::string_view folder) { return std::make_unique<RomDisk>(folder); }

}  // namespace wvds::platform
