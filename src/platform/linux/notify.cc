#include "platform/linux/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "base/log.h"

namespace wvds::platform {
namespace {

constexpr uint64_t kLongestWatchdog = 24ull * 3600 * 1'000'000;  // a day, in microseconds: more watches over nothing

std::optional<uint64_t> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  uint64_t value = 0;
  const char* const last = text + std::strlen(text);
  const auto [end, error] = std::from_chars(text, last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

}  // namespace

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

bool has_manager() {
  const char* path = std::getenv("NOTIFY_SOCKET");
  return path != nullptr && *path != '\0';
}

std::optional<std::chrono::microseconds> watchdog_timeout() {
  const auto timeout = number(std::getenv("WATCHDOG_USEC"));
  const char* process = std::getenv("WATCHDOG_PID");
  if (!timeout || *timeout == 0 || *timeout > kLongestWatchdog) return std::nullopt;
  if (process != nullptr && number(process) != static_cast<uint64_t>(getpid())) return std::nullopt;
  return std::chrono::microseconds(*timeout);
}

std::string reloading_message() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto microseconds = static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1'000;
  return "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds);
}

}  // namespace wvds::platform
