#include "platform/linux/last_words.h"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>

namespace wvds::platform {
namespace {

// There may be no memory for a line of the log.
void say(const char* words) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, words, std::strlen(words));
}

[[noreturn]] void end() {
  say("error: ended: ");
  try {
    if (const auto cause = std::current_exception()) std::rethrow_exception(cause);
    say("terminated");
  } catch (const std::exception& cause) {
    say(cause.what());
  } catch (...) {
    say("unknown cause");
  }
  say("; where memory is short, allow more (MemoryMax= in systemd, ulimit -v)\n");
  _exit(EXIT_FAILURE);
}

}  // namespace

void say_last_words() { std::set_terminate(end); }

}  // namespace wvds::platform
