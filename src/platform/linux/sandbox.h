#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "platform/linux/call_filter.h"
#include "platform/linux/file_rules.h"

// The sandbox of a Linux process, in two steps, neither of which can be taken back: first its files, while it is alone
// in its process, then its system calls, when everything that it needs has been loaded and started. docs/sandbox.md
// says what is in force for whom, and why.
namespace wvds::platform {

// sandbox_is_built_in: builds with a sanitizer have none, since the sanitizer's runtime has needs of its own. There,
// every function of Sandbox succeeds and does nothing.
bool sandbox_is_built_in();

class Sandbox {
 public:
  explicit Sandbox(CallRules calls) : calls_(calls) {}

  // confine_files and hide_files are those of file_rules.h. A kernel without Landlock is no failure: close() says so.
  Result<> confine_files(const std::vector<FileRule>& rules);
  Result<> hide_files(const std::vector<std::string>& hidden);

  // close filters the system calls of all threads. A kernel that filters none is no failure.
  Result<> close();

  // log_state writes one line of what is in force: a warning where a part is missing. One more where the process runs
  // as root, whom file modes don't hold.
  void log_state() const;

 private:
  CallRules calls_;
  bool has_filter_ = false;
  int landlock_ = 0;  // the version in force
};

}  // namespace wvds::platform
