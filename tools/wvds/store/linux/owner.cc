#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tools/wvds/store/store_access.h"

namespace wvds::tool {

Outcome<> check_owner(const std::string& folder, bool may_be_missing) {
  struct stat facts{};
  if (::stat(folder.c_str(), &facts) != 0) {
    if (errno == ENOENT && may_be_missing) return {};
    return failed(folder + ": " + std::strerror(errno));
  }
  if (facts.st_uid == ::geteuid()) return {};
  return failed(folder + " belongs to user " + std::to_string(facts.st_uid) +
                ": run this as that user, as the service does");
}

}  // namespace wvds::tool
