#include "keystore/hsm/linux/terminal_pin.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/secret.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

namespace wvds::keystore::hsm {
namespace {

using crypto::LockedBytes;

// WithoutEcho keeps what is typed off the screen.
class WithoutEcho {
 public:
  explicit WithoutEcho(int terminal) : terminal_(terminal), is_changed_(::tcgetattr(terminal, &before_) == 0) {
    if (!is_changed_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ICANON;
    is_changed_ = ::tcsetattr(terminal_, TCSAFLUSH, &silent) == 0;
  }
  ~WithoutEcho() {
    if (is_changed_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  WithoutEcho(const WithoutEcho&) = delete;
  WithoutEcho& operator=(const WithoutEcho&) = delete;

  bool is_silent() const { return is_changed_; }

 private:
  const int terminal_;
  termios before_{};
  bool is_changed_;
};

void say(int terminal, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(terminal, text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

class TerminalPin final : public PinSource {
 public:
  explicit TerminalPin(std::string token) : token_(std::move(token)) {}

  Result<LockedBytes> read() override {
    const platform::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY));
    if (!terminal) {
      return fail(Status::kStorageError,
                  "the token's PIN is to be typed in (pin_prompt), but there is no terminal: start this program from "
                  "one, or use pin_file or pin_credential");
    }
    const WithoutEcho silence(terminal.get());
    if (!silence.is_silent()) return fail(Status::kStorageError, "the terminal can't hide what is typed");
    say(terminal.get(), "PIN of the token " + token_ + ": ");
    auto pin = read_line(terminal.get());
    say(terminal.get(), "\n");
    return pin;
  }

 private:
  static Result<LockedBytes> read_line(int terminal) {
    WVDS_ASSIGN(line, LockedBytes::of_size(kMaxPin + 1));
    const MutableBytes target = line.expose_for_writing();
    const ssize_t size = platform::retried([&] { return ::read(terminal, target.data(), target.size()); });
    Bytes pin = Bytes(target).first(static_cast<size_t>(std::max<ssize_t>(size, 0)));
    const bool is_whole = !pin.empty() && pin.back() == std::byte{'\n'};
    if (is_whole) pin = pin.first(pin.size() - 1);
    if (!is_whole || pin.empty()) return fail(Status::kStorageError, "a PIN has 1 to 255 bytes");
    return LockedBytes::copy_of(pin);
  }

  const std::string token_;
};

}  // namespace

std::unique_ptr<PinSource> make_terminal_pin(std::string token) {
  return std::make_unique<TerminalPin>(std::move(token));
}

}  // namespace wvds::keystore::hsm
