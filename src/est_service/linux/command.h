#pragma once

#include <string>

#include "config/est_section.h"
#include "platform/linux/unique_fd.h"

namespace wvds::est_service {

// run_command runs what the configuration wants after a certificate was installed, with its name in
// WVDS_EST_CERTIFICATE, waits for its end and logs how it ended. One that runs longer than it may is killed, with all
// it started in its process group, and so is one that still runs when `stop` becomes readable (-1: never). Blocks; no
// failure of the command is one of the enrolment.
void run_command(const config::EstCommand& command, const std::string& certificate, int stop = -1);

}  // namespace wvds::est_service
