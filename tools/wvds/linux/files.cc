#include "tools/wvds/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>

#include "tools/wvds/linux/temporary_file.h"

namespace wvds::tool {
namespace {

std::unexpected<Failure> failed_with_errno(const std::string& path) {
  return failed(path + ": " + std::strerror(errno));
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

// is_text is true for bytes that can do nothing to a terminal but show letters. `before` is the byte before them.
bool is_text(ByteView bytes, uint8_t before) {
  for (const uint8_t byte : bytes) {
    const bool is_control = (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7F;
    const bool is_c1 = before == 0xC2 && byte < 0xA0;  // as UTF-8 writes U+0080 to U+009F
    if (is_control || is_c1) return false;
    before = byte;
  }
  return true;
}

// Target is what stands at an output's path now.
enum class Target { kNothing, kRegularFile, kOther };

Target target_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return Target::kNothing;
  return S_ISREG(info.st_mode) ? Target::kRegularFile : Target::kOther;
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

}  // namespace

void open_standard_streams() {
  ::signal(SIGPIPE, SIG_IGN);
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    // the wrong direction on purpose: to use the stream is an error, as if it were still closed. The lowest free number
    // is this one.
    const int stand_in = ::open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    if (stand_in != descriptor) std::_Exit(static_cast<int>(Exit::kFailed));
  }
}

bool Descriptor::close() {
  const int value = std::exchange(value_, -1);
  return value < 0 || ::close(value) == 0;
}

Input::Input(std::string name, Descriptor file, int descriptor)
    : name_(std::move(name)), file_(std::move(file)), descriptor_(descriptor) {
  struct stat info{};
  if (::fstat(descriptor_, &info) == 0 && S_ISREG(info.st_mode)) size_ = static_cast<uint64_t>(info.st_size);
}

Outcome<Input> Input::open(const std::string& path) {
  if (path == "-") return Input("standard input", Descriptor(), STDIN_FILENO);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed_with_errno(path);
  const int descriptor = file.get();
  return Input(path, std::move(file), descriptor);
}

Outcome<size_t> Input::read(uint8_t* out, size_t room) {
  for (;;) {
    const ssize_t count = ::read(descriptor_, out, room);
    if (count >= 0) return static_cast<size_t>(count);
    if (errno != EINTR) return failed_with_errno(name_);
  }
}

Outcome<> Input::fill(Buffer& out) {
  while (out.size() < out.room()) {
    TOOL_ASSIGN(count, read(out.data() + out.size(), out.room() - out.size()));
    if (count == 0) break;
    out.set_size(out.size() + count);
  }
  return {};
}

// One byte more than `limit` tells that there is more.
Outcome<Buffer> read_input(const std::string& path, size_t limit, const std::string& advice) {
  TOOL_ASSIGN(input, Input::open(path));
  Buffer buffer(limit + 1);
  TOOL_TRY(input.fill(buffer));
  if (buffer.size() <= limit) return buffer;
  return failed(input.name() + ": more than the " + std::to_string(limit) + " bytes that one request takes" + advice);
}

Outcome<> check_output(const Output& output) {
  if (output.path == "-" || !output.is_secret || output.force) return {};
  if (target_of(output.path) != Target::kRegularFile) return {};
  return failed(output.path + ": is there already and is not overwritten; --force does it all the same");
}

Outcome<OutputFile> OutputFile::open(const Output& output) {
  TOOL_TRY(check_output(output));
  const bool is_standard = output.path == "-";
  OutputFile out(output, is_standard ? "standard output" : output.path);
  if (is_standard) {
    out.descriptor_ = STDOUT_FILENO;
    out.is_terminal_ = ::isatty(STDOUT_FILENO) == 1;
    return out;
  }
  if (target_of(output.path) != Target::kOther) {
    TOOL_TRY(out.open_temporary());
    return out;
  }
  out.file_ = Descriptor(::open(output.path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  out.descriptor_ = out.file_.get();
  if (out.descriptor_ < 0) return failed_with_errno(output.path);
  out.is_terminal_ = ::isatty(out.descriptor_) == 1;
  return out;
}

Outcome<> OutputFile::open_temporary() {
  final_path_ = behind_links(output_.path);
  temporary_ = final_path_ + ".XXXXXX";
  file_ = Descriptor(make_temporary(temporary_));  // for its owner only
  descriptor_ = file_.get();
  if (descriptor_ < 0) temporary_.clear();
  if (descriptor_ < 0 || (!output_.is_secret && ::fchmod(descriptor_, usual_mode()) != 0)) {
    return failed_with_errno(name_);
  }
  return {};
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : output_(std::move(other.output_)),
      name_(std::move(other.name_)),
      file_(std::move(other.file_)),
      descriptor_(other.descriptor_),
      temporary_(std::exchange(other.temporary_, {})),
      final_path_(std::move(other.final_path_)),
      is_terminal_(other.is_terminal_),
      part_is_out_(other.part_is_out_),
      last_(other.last_) {}

OutputFile::~OutputFile() {
  if (!temporary_.empty()) remove_temporary(temporary_);
}

Outcome<> OutputFile::write(ByteView bytes) {
  if (is_terminal_ && !is_text(bytes, last_)) {
    return failed(name_ + " is a terminal, and this is not text: name a file with -o, or redirect it");
  }
  if (!bytes.empty()) last_ = bytes.back();
  part_is_out_ = temporary_.empty();
  if (!write_all(descriptor_, bytes)) return failed_with_errno(name_);
  return {};
}

Outcome<> OutputFile::commit() {
  if (temporary_.empty()) {
    if (!file_.close()) return failed_with_errno(name_);
    return {};
  }
  if (::fsync(descriptor_) != 0 || !file_.close() ||
      !put_in_place(temporary_, final_path_, !output_.is_secret || output_.force)) {
    return failed_with_errno(name_);
  }
  keep_temporary();
  temporary_.clear();
  return {};
}

Outcome<> write_output(const Output& output, ByteView bytes) {
  TOOL_ASSIGN(file, OutputFile::open(output));
  TOOL_TRY(file.write(bytes));
  return file.commit();
}

Outcome<> write_text(const std::string& text) {
  return write_output({}, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

void complain(const std::string& message) { std::fprintf(stderr, "wvds: %s\n", message.c_str()); }

bool standard_error_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace wvds::tool
