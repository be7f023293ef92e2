#pragma once

#include <string>

#include "base/result.h"

namespace wvds::crypto {

// openssl_failure builds an error from what OpenSSL left in this thread's error queue, which it empties: a failed call
// leaves nothing behind. `status` becomes kLimitReached when the cause was that the secure heap is full.
std::unexpected<Error> openssl_failure(Status status, std::string what);

// openssl_reasons empties this thread's error queue and returns its reasons, the cause first.
std::string openssl_reasons();

// clear_openssl_errors empties this thread's error queue.
void clear_openssl_errors();

}  // namespace wvds::crypto
