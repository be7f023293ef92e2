#include "config/linux/config_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/json.h"

namespace wvds::config {
namespace {

std::unexpected<std::string> refuse(const std::string& path, const std::string& why) {
  return std::unexpected(path + ": " + why + "\n");
}

std::expected<std::string, std::string> read_open_file(const std::string& path, int file) {
  struct stat about{};
  if (fstat(file, &about) != 0) return refuse(path, std::string("can't be read: ") + std::strerror(errno));
  if (!S_ISREG(about.st_mode)) return refuse(path, "is not a regular file");
  if ((about.st_mode & S_IWOTH) != 0) return refuse(path, "can be written by everybody; chmod o-w it");
  std::string text(kMaxJsonSize + 1, '\0');  // one more than allowed: the parser then says that it is too large
  size_t length = 0;
  while (length < text.size()) {
    const ssize_t count = read(file, text.data() + length, text.size() - length);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return refuse(path, std::string("can't be read: ") + std::strerror(errno));
    length += static_cast<size_t>(count);
  }
  text.resize(length);
  return text;
}

}  // namespace

std::expected<std::string, std::string> read_config_file(const std::string& path) {
  // O_NONBLOCK: opening a FIFO by mistake must not wait for its writer.
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return refuse(path, std::string("can't be opened: ") + std::strerror(errno));
  auto text = read_open_file(path, file);
  close(file);
  return text;
}

}  // namespace wvds::config
