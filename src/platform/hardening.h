#pragma once

#include "base/result.h"

namespace wvds::platform {

// harden_process makes this process unable to leave its memory behind or to gain rights: no core dump, no reading of
// its memory by other processes of the same user, no new privileges by exec. It cannot be undone. Call it once, at
// start, before any secret is in memory. kInternalError with the cause when the system refuses a part.
Result<> harden_process();

// memory_stays_in_ram tells whether this system never moves a program's memory to a disk, locked or not.
bool memory_stays_in_ram();

}  // namespace wvds::platform
