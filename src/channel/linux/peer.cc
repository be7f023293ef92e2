#include "channel/linux/peer.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

namespace wvds::channel {
namespace {

using platform::UniqueFd;

// watch: the first way (Linux 6.5) names the very process that connected. The second goes by its number, which another
// process may have got meanwhile; then that one's life is watched, and the socket's hang-up still ends the session.
UniqueFd watch(int socket, pid_t pid) {
  int fd = -1;
  socklen_t length = sizeof fd;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERPIDFD, &fd, &length) == 0) return UniqueFd(fd);
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace

Result<LinuxPeer> identify(int socket) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) {
    return fail(Status::kDisconnected, std::string("no credentials: ") + std::strerror(errno));
  }
  LinuxPeer found;
  found.peer.uid = credentials.uid;
  found.peer.gid = credentials.gid;
  found.peer.pid = credentials.pid;
  found.pidfd = watch(socket, credentials.pid);
  if (!found.pidfd)
    return fail(Status::kDisconnected, std::string("process can't be watched: ") + std::strerror(errno));
  return found;
}

}  // namespace wvds::channel
