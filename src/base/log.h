#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace wvds {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };

// log_level_word is "debug", "info", "warning" or "error"; static.
const char* log_level_word(LogLevel level);

// LogField is one named value of a log line. It takes text and numbers only: a Secret does not convert, so it can't be
// logged by mistake.
struct LogField {
  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const std::string& text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(text) {}
  template <class Number>
    requires std::is_arithmetic_v<Number>
  LogField(std::string_view field, Number number) : name(field), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};

// LogRecord is one thing to log: as a finished line without a line end, and in its parts for a log that keeps fields
// apart. The line is safe to print; the parts are as they were given.
struct LogRecord {
  LogLevel level;
  std::string_view line;
  std::string_view message;
  std::span<const LogField> fields;
};

// LogSink writes one record. It is called from any thread, one call at a time.
using LogSink = void (*)(const LogRecord& record);

// set_log_sink is called once, at start, before other threads exist. Without a sink, records are dropped.
// set_log_level may be called at any time, from any thread.
void set_log_sink(LogSink sink);
void set_log_level(LogLevel level);

// log writes `message` and its fields as `message name=value name="value with spaces"`. Control characters and bytes
// above 0x7e are shown as \xNN, so that a client's text can't forge a line. Thread-safe; blocks as long as the sink
// does.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

inline void log_info(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kInfo, message, fields);
}
inline void log_warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kWarning, message, fields);
}
inline void log_error(std::string_view message, std::initializer_list<LogField> fields = {}) {
  log(LogLevel::kError, message, fields);
}

}  // namespace wvds
