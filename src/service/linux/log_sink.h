#pragma once

#include "base/log.h"

namespace wvds::service {

// start_logging sends the log to standard error: for the journal, when that is what standard error is connected to
// (systemd says so in JOURNAL_STREAM), with the priority in front as sd-daemon(3) has it; otherwise with time and level
// for a person. A line that can't be written at once is dropped: nobody who reads slowly may stop the service.
void start_logging(LogLevel level);

}  // namespace wvds::service
