#include "platform/hardening.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace wvds::platform {
namespace {

std::unexpected<Error> refused(const char* what) {
  const int cause = errno;
  return fail(Status::kInternalError, std::string("cannot ") + what + ": " + ::strerror(cause));
}

}  // namespace

Result<> harden_process() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0) return refused("switch core dumps off");
  // Also keeps others from attaching a debugger and from opening /proc/PID/mem.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return refused("make the process undumpable");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return refused("give up gaining privileges");
  return {};
}

bool memory_stays_in_ram() { return false; }

}  // namespace wvds::platform
