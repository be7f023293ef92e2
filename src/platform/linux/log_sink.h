#pragma once

#include "base/log.h"

namespace wvds::platform {

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

// start_logging sends the log to the journal, with its fields, when standard error is connected to it (systemd says so
// in JOURNAL_STREAM), or where that can't be had, to standard error with the priority in front as sd-daemon(3) has it.
// Otherwise it goes to standard error with time and level for a person. A line that can't be written at once is
// dropped: nobody who reads slowly may stop the service.
void start_logging(LogLevel level, const char* journal_socket = kJournalSocket);

}  // namespace wvds::platform
