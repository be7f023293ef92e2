#pragma once

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wvds::platform {

// folder_names lists what is in an opened folder, without . and ..; nothing on failure, and errno tells why.
inline std::optional<std::vector<std::string>> folder_names(int folder) {
  const int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const opened = fd < 0 ? nullptr : ::fdopendir(fd);
  if (opened == nullptr) return std::nullopt;
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(opened)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
    errno = 0;
  }
  const int cause = errno;
  ::closedir(opened);
  errno = cause;
  return cause == 0 ? std::optional(std::move(names)) : std::nullopt;
}

}  // namespace wvds::platform
