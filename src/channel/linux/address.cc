#include "channel/linux/address.h"

#include <sys/socket.h>

#include <cstring>

namespace wvds::channel {

Result<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address{};
  if (path.empty() || path.find('\0') != std::string::npos) return fail(Status::kInvalidArgument, "no socket path");
  if (path.size() >= sizeof address.sun_path) {
    return fail(Status::kInvalidArgument, "socket path is longer than 107 bytes: " + path);
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

}  // namespace wvds::channel
