#pragma once

#include <sys/types.h>

#include <cstdint>

namespace wvds::test {

// ServiceSample is what a running service holds of the machine, as /proc tells it.
struct ServiceSample {
  uint64_t resident_kb = 0;  // shared regions of sessions included
  uint64_t private_kb = 0;   // without them
  uint64_t mappings = 0;     // 0 without may_see_all()
  uint64_t descriptors = 0;  // 0 without may_see_all()
  uint64_t threads = 0;
};

ServiceSample sample_of(pid_t pid);

// may_see_all: descriptors and mappings of the service, which lets nobody look, are for root.
bool may_see_all();

}  // namespace wvds::test
