#include "tools/wvds/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

namespace wvds::tool {
namespace {

std::unexpected<Failure> failed_with_errno(const std::string& path) {
  return failed(path + ": " + std::strerror(errno));
}

// Descriptor closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  Descriptor(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

// read_all fills the buffer; one byte more than `limit` tells that there is more.
Outcome<Buffer> read_all(int descriptor, const std::string& name, size_t limit, const std::string& advice) {
  Buffer buffer(limit + 1);
  while (buffer.size() < buffer.room()) {
    const ssize_t count = ::read(descriptor, buffer.data() + buffer.size(), buffer.room() - buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed_with_errno(name);
    if (count == 0) return buffer;
    buffer.set_size(buffer.size() + static_cast<size_t>(count));
  }
  return failed(name + ": more than the " + std::to_string(limit) + " bytes that one request takes" + advice);
}

bool write_all(int descriptor, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

// is_text is true for bytes that can do nothing to a terminal but show letters.
bool is_text(ByteView bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    const uint8_t byte = bytes[i];
    const bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7F;
    const bool is_c1 = byte == 0xC2 && i + 1 < bytes.size() && bytes[i + 1] < 0xA0;  // as UTF-8 writes U+0080 to U+009F
    if (is_control || is_c1) return false;
  }
  return true;
}

Outcome<> write_standard_output(ByteView bytes) {
  if (::isatty(STDOUT_FILENO) == 1 && !is_text(bytes)) {
    return failed("standard output is a terminal, and this is not text: name a file with -o, or redirect it");
  }
  if (!write_all(STDOUT_FILENO, bytes)) return failed_with_errno("standard output");
  return {};
}

// Target is what stands at an output's path now.
enum class Target { kNothing, kRegularFile, kOther };

Target target_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return Target::kNothing;
  return S_ISREG(info.st_mode) ? Target::kRegularFile : Target::kOther;
}

Outcome<> write_directly(const std::string& path, ByteView bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file.get() < 0 || !write_all(file.get(), bytes) || !file.close()) return failed_with_errno(path);
  return {};
}

// behind_links is the file that a symbolic link leads to: replacing the link itself would surprise.
std::string behind_links(const std::string& path) {
  std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  return real == nullptr ? path : std::string(real.get());
}

// put_in_place renames; where nothing may be overwritten, the check and the rename are one step.
bool put_in_place(const std::string& temporary, const std::string& path, bool may_replace) {
  if (may_replace) return ::rename(temporary.c_str(), path.c_str()) == 0;
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL) return false;  // EINVAL: this file system does not know the flag
  if (::link(temporary.c_str(), path.c_str()) != 0) return false;
  ::unlink(temporary.c_str());
  return true;
}

mode_t usual_mode() {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

Outcome<> write_file(const Output& output, ByteView bytes) {
  const std::string path = behind_links(output.path);
  std::string temporary = path + ".XXXXXX";
  Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));  // for its owner only
  if (file.get() < 0) return failed_with_errno(output.path);
  const bool has_mode = output.is_secret || ::fchmod(file.get(), usual_mode()) == 0;
  if (has_mode && write_all(file.get(), bytes) && ::fsync(file.get()) == 0 && file.close() &&
      put_in_place(temporary, path, !output.is_secret || output.force)) {
    return {};
  }
  auto failure = failed_with_errno(output.path);
  ::unlink(temporary.c_str());
  return failure;
}

}  // namespace

void open_standard_streams() {
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // the wrong direction on purpose: to use the stream is an error, as if it were still closed. The lowest free number
    // is this one.
    const int stand_in = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (stand_in != descriptor) std::_Exit(static_cast<int>(Exit::kFailed));
  }
}

Outcome<Buffer> read_input(const std::string& path, size_t limit, const std::string& advice) {
  if (path == "-") return read_all(STDIN_FILENO, "standard input", limit, advice);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed_with_errno(path);
  return read_all(file.get(), path, limit, advice);
}

Outcome<> check_output(const Output& output) {
  if (output.path == "-" || !output.is_secret || output.force) return {};
  if (target_of(output.path) != Target::kRegularFile) return {};
  return failed(output.path + ": is there already and is not overwritten; --force does it all the same");
}

Outcome<> write_output(const Output& output, ByteView bytes) {
  if (output.path == "-") return write_standard_output(bytes);
  TOOL_TRY(check_output(output));
  return target_of(output.path) == Target::kOther ? write_directly(output.path, bytes) : write_file(output, bytes);
}

Outcome<> write_text(const std::string& text) {
  return write_standard_output({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void complain(const std::string& message) { std::fprintf(stderr, "wvds: %s\n", message.c_str()); }

}  // namespace wvds::tool
