#pragma once

#include <sys/un.h>

#include <string>

#include "base/result.h"

namespace wvds::channel {

// socket_address makes a path a Unix socket's address: kInvalidArgument when it is empty, holds a zero byte or is
// longer than the 107 bytes that the system takes.
Result<sockaddr_un> socket_address(const std::string& path);

}  // namespace wvds::channel
