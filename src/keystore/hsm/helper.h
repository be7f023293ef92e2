#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "keystore/hsm/wiped_bytes.h"

namespace wvds::keystore::hsm {

// Helper is the way to the process in which the vendor's module runs (linux/helper_process.h). One call at a time.
class Helper {
 public:
  virtual ~Helper() = default;

  // restart ends the process that is there, whatever it does, and starts a new one in which nothing is open.
  // kStorageError when none could be started.
  virtual Result<> restart() = 0;

  // exchange sends a request and waits for its answer. kTimeout when none came in time, kDisconnected when the process
  // ended; then only restart is of use.
  virtual Result<WipedBytes> exchange(Bytes request) = 0;
};

}  // namespace wvds::keystore::hsm
