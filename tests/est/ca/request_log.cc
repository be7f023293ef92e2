#include "ca/request_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

namespace wvds::est_ca {

RequestLog::RequestLog(const std::string& path)
    : file_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (file_ < 0) throw std::runtime_error(path + " can't be opened");
}

RequestLog::~RequestLog() { ::close(file_); }

void RequestLog::write(Json entry) {
  const std::string line = entry.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const std::lock_guard lock(mutex_);
  for (std::size_t at = 0; at < line.size();) {
    const ssize_t put = ::write(file_, line.data() + at, line.size() - at);
    if (put < 0) throw std::runtime_error("the log can't be written");
    at += static_cast<std::size_t>(put);
  }
}

}  // namespace wvds::est_ca
