#pragma once

#include "base/result.h"
#include "channel/request.h"
#include "platform/linux/unique_fd.h"

namespace wvds::channel {

// LinuxPeer is the process that called connect(), as the kernel noted it then, and a handle that becomes readable at
// its death.
struct LinuxPeer {
  Peer peer;
  platform::UniqueFd pidfd;
};

// identify asks the kernel about the other end of an accepted socket. kDisconnected when the process is gone already or
// can't be watched: a session that does not notice its client's death is not made.
Result<LinuxPeer> identify(int socket);

}  // namespace wvds::channel
