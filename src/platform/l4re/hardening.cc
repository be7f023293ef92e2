#include "platform/hardening.h"

namespace wvds::platform {

// A task of L4Re leaves no core and can't be looked into: nobody has a capability for its memory but its loader. There
// are no privileges beyond capabilities, and those only its parent hands out.
Result<> harden_process() { return {}; }

bool memory_stays_in_ram() { return true; }

}  // namespace wvds::platform
