#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "base/result.h"
#include "platform/linux/unique_fd.h"

namespace wvds::channel {

// ListeningSocket is a Unix seqpacket socket at a path, and the lock beside it (`path`.lock) that its service holds as
// long as it lives. The lock's file stays; the socket is removed at the end, unless another one stands at the path by
// then.
class ListeningSocket {
 public:
  // open makes the socket with exactly these permission bits and listens; non-blocking. A socket that a dead service
  // left is replaced. kBusy when a service lives there, kInvalidArgument for a path that is too long, empty or taken by
  // something that is no socket, kInternalError for whatever the system refuses.
  static Result<ListeningSocket> open(const std::string& path, uint32_t mode);

  // adopt takes over a socket that somebody else made and listens on; its path is left alone. kInvalidArgument when it
  // is no listening Unix seqpacket socket.
  static Result<ListeningSocket> adopt(platform::UniqueFd socket);

  ListeningSocket(ListeningSocket&&) noexcept = default;
  ListeningSocket& operator=(ListeningSocket&&) = delete;
  ~ListeningSocket();

  int fd() const { return fd_.get(); }

 private:
  ListeningSocket(std::string path, platform::UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  Result<> clear_path();
  Result<> bind_and_listen(uint32_t mode);

  std::string path_;
  platform::UniqueFd lock_;
  platform::UniqueFd fd_;
  struct stat facts_{};  // of the path, once it is ours; 0 for an adopted socket, which no path has
};

}  // namespace wvds::channel
