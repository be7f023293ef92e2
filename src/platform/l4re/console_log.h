#pragma once

namespace wvds::platform {

// log_to_console lets log lines begin with the time and their level, and go to the task's log capability.
void log_to_console();

}  // namespace wvds::platform
