#include "tools/wvds/doctor/system.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

namespace wvds::tool {
namespace {

int64_t in_milliseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

}  // namespace

std::optional<int64_t> written_ms(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
  return in_milliseconds(facts.st_mtim);
}

bool is_forbidden(const std::string& path) { return ::access(path.c_str(), R_OK) != 0 && errno == EACCES; }

int64_t wall_clock_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return in_milliseconds(now);
}

}  // namespace wvds::tool
