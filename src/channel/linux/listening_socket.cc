#include "channel/linux/listening_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "channel/linux/address.h"
#include "channel/linux/setup.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;

constexpr int kBacklog = 128;

std::unexpected<Error> fail_errno(Status status, const std::string& what) {
  return fail(status, what + ": " + std::strerror(errno));
}

UniqueFd new_socket() { return UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)); }

Result<UniqueFd> lock_beside(const std::string& path) {
  const std::string name = path + ".lock";
  UniqueFd lock(open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return fail_errno(Status::kInternalError, "can't make " + name);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno == EWOULDBLOCK) return fail(Status::kBusy, "another service listens on " + path);
  return fail_errno(Status::kInternalError, "can't lock " + name);
}

// is_live tells whether somebody accepts connections there (its queue may be full just now).
bool is_live(const sockaddr_un& address) {
  const UniqueFd probe = new_socket();
  return !probe || connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;
}

int option_of(int socket, int option) {
  int value = -1;
  socklen_t length = sizeof value;
  return getsockopt(socket, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

}  // namespace

Result<ListeningSocket> ListeningSocket::adopt(UniqueFd socket) {
  const int fd = socket.get();
  if (option_of(fd, SO_DOMAIN) != AF_UNIX || option_of(fd, SO_TYPE) != SOCK_SEQPACKET ||
      option_of(fd, SO_ACCEPTCONN) != 1) {
    return fail(Status::kInvalidArgument,
                "the socket that was handed over is no listening Unix socket of type SOCK_SEQPACKET");
  }
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
    return fail_errno(Status::kInternalError, "can't prepare the socket that was handed over");
  refuse_descriptors(fd);
  ListeningSocket listening("", UniqueFd());
  listening.fd_ = std::move(socket);
  return listening;
}

Result<ListeningSocket> ListeningSocket::open(const std::string& path, uint32_t mode) {
  WVDS_TRY(socket_address(path));
  WVDS_ASSIGN(lock, lock_beside(path));
  ListeningSocket listening(path, std::move(lock));
  WVDS_TRY(listening.clear_path());
  WVDS_TRY(listening.bind_and_listen(mode));
  return listening;
}

// clear_path: the lock already shuts out other services of this kind. A socket that still answers belongs to one that
// was started in another way.
Result<> ListeningSocket::clear_path() {
  struct stat facts{};
  if (lstat(path_.c_str(), &facts) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno(Status::kInternalError, "can't look at " + path_);
  }
  if (!S_ISSOCK(facts.st_mode)) return fail(Status::kInvalidArgument, path_ + " exists and is not a socket");
  WVDS_ASSIGN(address, socket_address(path_));
  if (is_live(address)) return fail(Status::kBusy, "another service listens on " + path_);
  if (unlink(path_.c_str()) != 0) return fail_errno(Status::kInternalError, "can't replace " + path_);
  return {};
}

// Nobody can connect before listen(), so the permission bits are exact from the first connection on, whatever the
// umask.
Result<> ListeningSocket::bind_and_listen(uint32_t mode) {
  WVDS_ASSIGN(address, socket_address(path_));
  fd_ = new_socket();
  if (!fd_) return fail_errno(Status::kInternalError, "no socket");
  if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_errno(Status::kInternalError, "can't make " + path_);
  }
  (void)lstat(path_.c_str(), &facts_);
  refuse_descriptors(fd_.get());
  if (chmod(path_.c_str(), mode) != 0 || ::listen(fd_.get(), kBacklog) != 0) {
    return fail_errno(Status::kInternalError, "can't listen on " + path_);
  }
  return {};
}

ListeningSocket::~ListeningSocket() {
  struct stat now{};
  if (!fd_ || lstat(path_.c_str(), &now) != 0) return;
  if (now.st_dev == facts_.st_dev && now.st_ino == facts_.st_ino) unlink(path_.c_str());
}

}  // namespace wvds::channel
