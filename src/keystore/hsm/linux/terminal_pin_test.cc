#include "keystore/hsm/linux/terminal_pin.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

namespace wvds::keystore::hsm {
namespace {

// what_comes is what can be read until the other end is closed; a terminal tells that end by EIO.
std::string what_comes(int fd) {
  std::string text;
  char part[256];
  while (true) {
    const ssize_t size = platform::retried([&] { return ::read(fd, part, sizeof part); });
    if (size <= 0) return text;
    text.append(part, static_cast<size_t>(size));
  }
}

// ask_and_tell reads a PIN and writes it, or why there is none, to `answer`, as "pin: ..." or "error: ...". The end of
// the process closes the terminal.
[[noreturn]] void ask_and_tell(int answer) {
  const auto pin = make_terminal_pin("gateway")->read();
  std::string text = "error: ";
  if (pin) {
    const Bytes typed = pin->expose();
    text = "pin: " + std::string(reinterpret_cast<const char*>(typed.data()), typed.size());
  } else {
    text += pin.error().detail;
  }
  const bool told = platform::write_whole(answer, as_bytes(text));
  ::_exit(told ? 0 : 1);
}

// Asked is a process that asks for a PIN at a terminal of its own, whose other end is here.
class Asked {
 public:
  Asked() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) ADD_FAILURE() << "pipe2";
    answer_ = platform::UniqueFd(ends[0]);
    const platform::UniqueFd told(ends[1]);
    int terminal = -1;
    process_ = ::forkpty(&terminal, nullptr, nullptr, nullptr);
    if (process_ == 0) ask_and_tell(told.get());
    terminal_ = platform::UniqueFd(terminal);
  }
  ~Asked() {
    int status = 0;
    if (process_ > 0) ::waitpid(process_, &status, 0);
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

  // prompt reads what is shown until a PIN is asked for; echo is off from then on.
  std::string prompt() const {
    std::string text;
    char one = 0;
    while (!text.ends_with(": ") && platform::retried([&] { return ::read(terminal_.get(), &one, 1); }) == 1)
      text.push_back(one);
    return text;
  }

  void type(std::string_view text) const { EXPECT_TRUE(platform::write_whole(terminal_.get(), as_bytes(text))); }
  std::string shown() const { return what_comes(terminal_.get()); }
  std::string answer() const { return what_comes(answer_.get()); }

 private:
  pid_t process_ = -1;
  platform::UniqueFd answer_;
  platform::UniqueFd terminal_;
};

TEST(TerminalPin, IsWhatWasTypedAndIsNotShown) {
  const Asked asked;
  EXPECT_EQ(asked.prompt(), "PIN of the token gateway: ");
  asked.type("k3ep-quiet\n");
  EXPECT_EQ(asked.answer(), "pin: k3ep-quiet");
  EXPECT_EQ(asked.shown(), "\r\n") << "the line end, and nothing of the PIN";
}

TEST(TerminalPin, IsRefusedWhenItIsEmpty) {
  const Asked asked;
  asked.prompt();
  asked.type("\n");
  EXPECT_EQ(asked.answer(), "error: a PIN has 1 to 255 bytes");
}

TEST(TerminalPin, HasAtMost255Bytes) {
  const std::string longest(255, '7');
  {
    const Asked asked;
    asked.prompt();
    asked.type(longest + "\n");
    EXPECT_EQ(asked.answer(), "pin: " + longest);
  }
  const Asked asked;
  asked.prompt();
  asked.type(longest + "7\n");
  EXPECT_EQ(asked.answer(), "error: a PIN has 1 to 255 bytes");
}

TEST(TerminalPin, IsRefusedWhereInputEnds) {
  const Asked asked;
  asked.prompt();
  asked.type("123\x04\x04");  // without a line end
  EXPECT_EQ(asked.answer(), "error: a PIN has 1 to 255 bytes");
}

TEST(TerminalPin, WantsATerminal) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const platform::UniqueFd answer(ends[0]);
  const pid_t process = ::fork();
  if (process == 0) {
    ::setsid();  // has no terminal from here on
    ask_and_tell(ends[1]);
  }
  ::close(ends[1]);
  const std::string text = what_comes(answer.get());
  int status = 0;
  ::waitpid(process, &status, 0);
  EXPECT_NE(text.find("there is no terminal"), std::string::npos) << text;
  EXPECT_NE(text.find("pin_file"), std::string::npos) << text;
}

}  // namespace
}  // namespace wvds::keystore::hsm
