#pragma once

#include "base/result.h"
#include "config/est_section.h"

namespace wvds::est_service {

// check_config says what only est_service can tell about its section: a server's address, a subject or a label that is
// none. kInvalidArgument, one line for each, beginning with the key.
Result<> check_config(const config::Est& config);

}  // namespace wvds::est_service
