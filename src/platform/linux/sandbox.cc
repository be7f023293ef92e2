#include "platform/linux/sandbox.h"

#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

namespace wvds::platform {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kBuiltIn = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kBuiltIn = false;
#else
constexpr bool kBuiltIn = true;
#endif
#else
constexpr bool kBuiltIn = true;
#endif

bool gains_no_privileges() { return ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; }

// version_in_force takes the lack of Landlock for version 0.
Result<int> version_in_force(const Result<>& confined) {
  if (confined) return landlock_version();
  if (confined.error().status == Status::kUnsupported) return 0;
  return std::unexpected(confined.error());
}

}  // namespace

bool sandbox_is_built_in() { return kBuiltIn; }

Result<> Sandbox::confine_files(const std::vector<FileRule>& rules) {
  if (!kBuiltIn) return {};
  WVDS_ASSIGN(version, version_in_force(platform::confine_files(rules)));
  landlock_ = version;
  return {};
}

Result<> Sandbox::hide_files(const std::vector<std::string>& hidden) {
  if (!kBuiltIn) return {};
  WVDS_ASSIGN(version, version_in_force(platform::hide_files(hidden)));
  landlock_ = version;
  return {};
}

Result<> Sandbox::close() {
  if (!kBuiltIn || !kernel_has_filters()) return {};
  WVDS_TRY(filter_calls(calls_));
  has_filter_ = true;
  return {};
}

void Sandbox::log_state() const {
  const char* const missing = kBuiltIn ? "not in this kernel" : "not in this build";
  const LogLevel level = has_filter_ && landlock_ > 0 ? LogLevel::kInfo : LogLevel::kWarning;
  log(level, "sandbox",
      {{"system_calls", has_filter_ ? "filtered" : missing},
       {"files", landlock_ > 0 ? "Landlock " + std::to_string(landlock_) : missing},
       {"new_privileges", gains_no_privileges() ? "none" : "possible"}});
  if (::geteuid() == 0) log_warning("runs as root: give this service a user of its own, whom file modes hold");
}

}  // namespace wvds::platform
