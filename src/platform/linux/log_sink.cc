#include "platform/linux/log_sink.h"

#include <poll.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "platform/linux/journal.h"
#include "platform/wall_clock.h"

namespace wvds::platform {
namespace {

std::optional<Journal> g_journal;  // used by one thread at a time, as a sink is

// A pipe that has room at all has it for PIPE_BUF bytes (pipe(7)), so that a line up to this length does not wait.
constexpr size_t kLongestLine = 2048;

void write_line(std::string_view head, std::string_view whole_line) {
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
  const std::string_view line = whole_line.substr(0, kLongestLine);
  char end = '\n';
  const iovec parts[] = {
      {const_cast<char*>(head.data()), head.size()}, {const_cast<char*>(line.data()), line.size()}, {&end, 1}};
  static_cast<void>(!writev(STDERR_FILENO, parts, 3));
}

void to_journal(const LogRecord& record) {
  if (g_journal->send(record)) return;
  write_line("<" + std::to_string(journal_priority(record.level)) + ">", record.line);
}

void to_person(const LogRecord& record) {
  write_line(time_text(wall_clock_now(), monotonic_now()) + " " + log_level_word(record.level) + ": ", record.line);
}

// JOURNAL_STREAM is "device:inode" of what systemd connected standard error to; it may have been redirected since.
bool stderr_is_the_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat facts{};
  uint64_t device = 0;
  uint64_t inode = 0;
  // NOLINTNEXTLINE(cert-err34-c): a number that does not fit is no device of this process, and systemd wrote it
  return stream != nullptr && std::sscanf(stream, "%" SCNu64 ":%" SCNu64, &device, &inode) == 2 &&
         fstat(STDERR_FILENO, &facts) == 0 && facts.st_dev == device && facts.st_ino == inode;
}

}  // namespace

void start_logging(LogLevel level, const char* journal_socket) {
  g_journal.emplace(journal_socket);
  set_log_level(level);
  set_log_sink(stderr_is_the_journal() ? to_journal : to_person);
}

}  // namespace wvds::platform
