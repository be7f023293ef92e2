#pragma once

#include <string>

#include "base/log.h"
#include "platform/linux/unique_fd.h"

namespace wvds::platform {

// journal_message is a record in journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): MESSAGE, PRIORITY,
// SYSLOG_IDENTIFIER (the program's name), and a field WVDS_... for each of the record's. A value with a line end goes
// in the form that states its length, so that nobody's text can add a field. What is longer than a datagram may be is
// cut.
std::string journal_message(const LogRecord& record);

// journal_priority is syslog's number of a level.
int journal_priority(LogLevel level);

// Journal sends records to journald, one datagram each. One thread at a time.
class Journal {
 public:
  // `path` is journald's socket.
  explicit Journal(std::string path) : path_(std::move(path)) {}

  // send is false when nobody took the record: no journald, or it has no room at present. Never blocks. A journald that
  // was restarted is found again.
  bool send(const LogRecord& record);

 private:
  bool connect();

  const std::string path_;
  UniqueFd socket_;
};

}  // namespace wvds::platform
