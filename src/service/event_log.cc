#include "service/event_log.h"

#include "base/log.h"

namespace wvds::service {
namespace {

LogLevel level_of(Status status) {
  switch (status) {
    case Status::kInternalError:
    case Status::kStorageError:
    case Status::kCryptoError: return LogLevel::kError;
    case Status::kDenied:
    case Status::kDecryptionFailed:
    case Status::kNonceReuse:
    case Status::kKeyUsedUp:
    case Status::kLimitReached: return LogLevel::kWarning;
    default: return LogLevel::kInfo;
  }
}

}  // namespace

void log_success(const Event& event) {
  log_info("done", {{"operation", event.operation->name},
                    {"principal", event.principal.name()},
                    {"session", event.session},
                    {"key", event.key_id}});
}

void log_failure(const Event& event, const Error& error, TimePoint now) {
  if (!event.principal.log_limiter().take(now)) {
    event.principal.unlogged().fetch_add(1);
    return;
  }
  const uint32_t left_out = event.principal.unlogged().exchange(0);
  log(level_of(error.status), "refused",
      {{"operation", event.operation == nullptr ? "none" : event.operation->name},
       {"principal", event.principal.name()},
       {"session", event.session},
       {"key", event.key_id},
       {"status", status_name(error.status)},
       {"detail", error.detail},
       {"left_out", left_out}});
}

}  // namespace wvds::service
