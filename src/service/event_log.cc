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
    case Status::kKeyNotValid:
    case Status::kLimitReached: return LogLevel::kWarning;
    default: return LogLevel::kInfo;
  }
}

bool is_stored(uint32_t key_id) { return key_id != 0 && key_id < keystore::kFirstMemoryId; }

// may_tell takes a principal's turn, or counts what is left out.
bool may_tell(Principal& principal, TimePoint now) {
  if (principal.log_limiter().take(now)) return true;
  principal.unlogged().fetch_add(1);
  return false;
}

AuditEvent audit_event(const Event& event, uint32_t left_out) {
  return {.event = event.operation == nullptr ? "none" : event.operation->config_name,
          .principal = event.principal.name(),
          .session = event.session,
          .key_id = event.key_id,
          .left_out = left_out};
}

}  // namespace

void log_success(AuditLog& audit, const Event& event, TimePoint now) {
  const bool stored = is_stored(event.key_id);
  if (!stored && !may_tell(event.principal, now)) return;
  AuditEvent entry = audit_event(event, event.principal.unlogged().exchange(0));
  entry.durable = stored;
  audit.add(entry);
  log_info("done", {{"operation", event.operation->name},
                    {"principal", event.principal.name()},
                    {"session", event.session},
                    {"key", event.key_id},
                    {"left_out", entry.left_out}});
}

void log_failure(AuditLog& audit, const Event& event, const Error& error, TimePoint now) {
  if (!may_tell(event.principal, now)) return;
  AuditEvent entry = audit_event(event, event.principal.unlogged().exchange(0));
  entry.status = error.status;
  entry.detail = error.detail;
  audit.add(entry);
  log(level_of(error.status), "refused",
      {{"operation", event.operation == nullptr ? "none" : event.operation->name},
       {"principal", event.principal.name()},
       {"session", event.session},
       {"key", event.key_id},
       {"status", status_name(error.status)},
       {"detail", error.detail},
       {"left_out", entry.left_out}});
}

}  // namespace wvds::service
