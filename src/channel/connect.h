#pragma once

#include <memory>
#include <string>

#include "channel/client_end.h"

namespace wvds::channel {

// connect makes a session with the service at `address`: on Linux the path of its socket, on L4Re the name of the
// capability of this program's session factory. Blocks until the deadline at most; kTimeout then. What the service
// refuses comes back as its own status (kDenied, kLimitReached, kNotReady, kUnsupported for another layout version).
// kConnectFailed when there is no service or it hung up, kDenied also when the system forbids the address,
// kProtocolError when what it sent is not a session, kInvalidArgument for an address that can't be one. Each session is
// one thread's at a time; a child made by fork can't use it.
Result<std::unique_ptr<ClientEnd>> connect(const std::string& address, TimePoint deadline);

}  // namespace wvds::channel
