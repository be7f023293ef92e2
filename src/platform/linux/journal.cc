#include "platform/linux/journal.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <span>

#include "base/bytes.h"

namespace wvds::platform {
namespace {

// Every socket takes a datagram of this size, whatever its buffer was set to. Lines of the service are far below it;
// only what a client or the system wrote into one could be longer, and its end is the part to lose.
constexpr size_t kLongestValue = 2048;
constexpr size_t kLongestMessage = 32768;

// field_name is WVDS_ and the name in capitals; "key" is called what it is outside of a log line: an id.
std::string field_name(std::string_view name) {
  std::string out = "WVDS_";
  for (const char c : name == "key" ? "key_id" : name) {
    const auto byte = static_cast<unsigned char>(c);
    out += std::isalnum(byte) != 0 ? static_cast<char>(std::toupper(byte)) : '_';
  }
  return out;
}

void append_length(std::string& out, uint64_t length) {
  std::byte bytes[sizeof length];
  Writer(bytes).u64(length);
  for (const std::byte byte : bytes) out += static_cast<char>(byte);
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  value = value.substr(0, kLongestValue);
  if (value.empty()) return;
  if (out.size() + name.size() + value.size() + sizeof(uint64_t) + 3 > kLongestMessage) return;
  out += name;
  if (value.find('\n') == std::string_view::npos) {
    out += '=';
  } else {
    out += '\n';
    append_length(out, value.size());
  }
  out += value;
  out += '\n';
}

}  // namespace

int journal_priority(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return 7;
    case LogLevel::kInfo: return 6;
    case LogLevel::kWarning: return 4;
    case LogLevel::kError: return 3;
  }
  return 6;
}

std::string journal_message(const LogRecord& record) {
  std::string out;
  append_field(out, "MESSAGE", record.line);
  append_field(out, "PRIORITY", std::to_string(journal_priority(record.level)));
  append_field(out, "SYSLOG_IDENTIFIER", program_invocation_short_name);
  append_field(out, "WVDS_EVENT", record.message);
  for (const LogField& field : record.fields) append_field(out, field_name(field.name), field.value);
  return out;
}

bool Journal::connect() {
  sockaddr_un address{};
  if (path_.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  socket_.reset(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket_ && ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return true;
  socket_.reset();
  return false;
}

bool Journal::send(const LogRecord& record) {
  const std::string message = journal_message(record);
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (!socket_ && !connect()) return false;
    if (::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno == EAGAIN) return false;
    socket_.reset();  // the journald that it was connected to is gone
  }
  return false;
}

}  // namespace wvds::platform
