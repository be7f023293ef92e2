#pragma once

#include <string_view>

#include "base/result.h"
#include "keystore/key.h"
#include "protocol/operations.h"
#include "service/principal.h"

namespace wvds::service {

// Event is one request as the log tells of it: who, what, which key, how it ended. No payload, no secret.
struct Event {
  Principal& principal;
  keystore::SessionId session = 0;
  const protocol::OperationInfo* operation = nullptr;  // null when the request did not get as far as that
  uint32_t key_id = 0;                                 // 0: none
};

// log_success logs a management operation that was done; every one.
void log_success(const Event& event);

// log_failure logs a request that did not succeed. A principal's failures are limited to a few lines a second; what was
// left out is counted and told with the next line.
void log_failure(const Event& event, const Error& error, TimePoint now);

}  // namespace wvds::service
