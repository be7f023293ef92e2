#pragma once

#include <string_view>

#include "base/result.h"
#include "keystore/key.h"
#include "protocol/operations.h"
#include "service/audit_log.h"
#include "service/clock.h"
#include "service/rights.h"

namespace wvds::service {

// Event is one request as the log tells of it: who, what, which key, how it ended. No payload, no secret.
struct Event {
  Principal& principal;
  keystore::SessionId session = 0;
  const protocol::OperationInfo* operation = nullptr;  // null when the request did not get as far as that
  uint32_t key_id = 0;                                 // 0: none
};

// Both write to the log and to the audit log. What concerns a stored key is always told, and is on the disk when
// log_success returns. Failures, and keys in memory, are limited to a few a second for each principal; what was left
// out is counted and told with the next one.

// log_success tells of a management operation that was done.
void log_success(AuditLog& audit, const Event& event, TimePoint now);

// log_failure tells of a request that did not succeed.
void log_failure(AuditLog& audit, const Event& event, const Error& error, TimePoint now);

}  // namespace wvds::service
