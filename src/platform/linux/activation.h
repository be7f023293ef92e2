#pragma once

#include <optional>

#include "base/result.h"

namespace wvds::platform {

// take_activation_socket returns the listening socket that the service manager handed over (sd_listen_fds(3):
// LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES), which is the caller's then, and nothing where there is none for this
// process. kInvalidArgument when it is not exactly one. Removes the variables, so that no child takes them for its own.
// Before other threads exist.
Result<std::optional<int>> take_activation_socket();

}  // namespace wvds::platform
