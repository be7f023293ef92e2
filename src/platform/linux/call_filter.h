#pragma once

#include "base/result.h"
#include "platform/linux/system_calls.h"

namespace wvds::platform {

// CallRules is what one process's filter depends on.
struct CallRules {
  Confined kind;
  bool network = false;  // Internet addresses; the process of a module has them anyway
};

// kernel_has_filters tells whether this kernel filters system calls (not every one was built to; emulators don't).
bool kernel_has_filters();

// filter_calls lets this process, all its threads and those to come, call only what system_calls.h lists for it, for
// good. What is not listed fails with ENOSYS, as on an older kernel, so that the C library takes another way; the
// kernel logs it. A lethal call ends the process with SIGSYS; in the process of a module it fails with EPERM. Memory
// can't become executable (EPERM), but for files that a module's process loads. kInternalError with the cause when the
// kernel refuses the filter.
Result<> filter_calls(const CallRules& rules);

}  // namespace wvds::platform
