#include "base/log.h"

#include <atomic>
#include <mutex>

namespace wvds {
namespace {

std::atomic<LogSink> g_sink{nullptr};
std::atomic<LogLevel> g_level{LogLevel::kInfo};
std::mutex g_one_line_at_a_time;

void append_escaped(std::string& line, std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      line += c;
    } else {
      line += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
}

void append_field(std::string& line, const LogField& field) {
  const bool quoted = field.value.empty() || field.value.find_first_of(" =\"\\") != std::string::npos;
  line += ' ';
  line += field.name;
  line += quoted ? "=\"" : "=";
  append_escaped(line, field.value);
  if (quoted) line += '"';
}

}  // namespace

const char* log_level_word(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "info";
}

void set_log_sink(LogSink sink) { g_sink = sink; }
void set_log_level(LogLevel level) { g_level = level; }

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  const LogSink sink = g_sink;
  if (sink == nullptr || level < g_level.load()) return;
  std::string line;
  append_escaped(line, message);
  for (const LogField& field : fields) append_field(line, field);
  const std::lock_guard lock(g_one_line_at_a_time);
  sink({level, line, message, std::span(fields.begin(), fields.size())});
}

}  // namespace wvds
