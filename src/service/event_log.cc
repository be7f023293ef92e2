#include "service/event_log.h"

#include "access/refusal.h"
#include "base/log.h"

namespace wvds::service {
namespace {

bool is_stored(uint32_t key_id) { return key_id != 0 && key_id < keystore::kFirstMemoryId; }

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
  if (!stored && !event.principal.may_log(now)) return;
  AuditEvent entry = audit_event(event, event.principal.unlogged());
  entry.durable = stored;
  audit.add(entry);
  log_info("done", {{"operation", event.operation->name},
                    {"principal", event.principal.name()},
                    {"session", event.session},
                    {"key", event.key_id},
                    {"left_out", entry.left_out}});
}

void log_failure(AuditLog& audit, const Event& event, const Error& error, TimePoint now) {
  if (!event.principal.may_log(now)) return;
  AuditEvent entry = audit_event(event, event.principal.unlogged());
  entry.status = error.status;
  entry.detail = error.detail;
  audit.add(entry);
  log(access::refusal_level(error.status), "refused",
      {{"operation", event.operation == nullptr ? "none" : event.operation->name},
       {"principal", event.principal.name()},
       {"session", event.session},
       {"key", event.key_id},
       {"status", status_name(error.status)},
       {"detail", error.detail},
       {"left_out", entry.left_out}});
}

}  // namespace wvds::service
