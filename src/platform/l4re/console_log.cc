#include "platform/l4re/console_log.h"

#include <cstdio>
#include <string>

#include "base/log.h"
#include "platform/wall_clock.h"

namespace wvds::platform {
namespace {

void write_line(const LogRecord& record) {
  const std::string time = time_text(wall_clock_now(), monotonic_now());
  std::printf("%s %s: %.*s\n", time.c_str(), log_level_word(record.level), static_cast<int>(record.line.size()),
              record.line.data());
}

}  // namespace

void log_to_console() { set_log_sink(write_line); }

}  // namespace wvds::platform
