#include "service/linux/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include "base/log.h"

namespace wvds::service {

void notify_manager(std::string_view message) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  const size_t length = path == nullptr ? 0 : std::strlen(path);
  if (length == 0) return;
  if (length >= sizeof address.sun_path) return log_warning("NOTIFY_SOCKET is too long", {{"length", length}});
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // Linux's abstract addresses, as systemd writes them
  const int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (sender < 0) return log_warning("service manager not notified", {{"cause", std::strerror(errno)}});
  const auto address_length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  const ssize_t sent = sendto(sender, message.data(), message.size(), MSG_NOSIGNAL,
                              reinterpret_cast<const sockaddr*>(&address), address_length);
  if (sent < 0) log_warning("service manager not notified", {{"cause", std::strerror(errno)}});
  close(sender);
}

}  // namespace wvds::service
