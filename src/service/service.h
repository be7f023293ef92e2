#pragma once

#include <memory>
#include <string>

#include "access/principal.h"
#include "channel/request.h"
#include "config/service_config.h"
#include "keystore/medium.h"
#include "keystore/protector.h"
#include "service/service_state.h"

namespace wvds::service {

// ServiceParts is what the service is made of; what differs between systems and tests is handed in. All references must
// outlive the service.
struct ServiceParts {
  const config::ServiceConfig& config;
  const crypto::Library& library;
  keystore::Medium& medium;
  keystore::Protector& protector;
  AuditMedium& audit;
  const Clock& clock;
  uint64_t epoch = 0;  // another one after each start
};

// Service is the whole of crypto_service but for the transport: key store, principals and sessions.
class Service : public channel::SessionFactory {
 public:
  // create opens the key store. Its errors are the store's.
  static Result<std::unique_ptr<Service>> create(const ServiceParts& parts);

  // The sessions must have ended before.
  ~Service() override = default;

  // open makes a session for whoever the operating system says is there: kDenied for a stranger, kLimitReached when the
  // principal or the service has its sessions, kNotReady after stop(). Thread-safe.
  Result<std::unique_ptr<channel::RequestHandler>> open(const channel::Peer& peer) override;

  // reload puts in force what of `next` can change while the service runs, also for the sessions that are up, and
  // remembers and logs what can't. A client that `next` no longer has, or that it takes for another one, is DENIED
  // everything from its next request on. The error is the key store's; nothing has changed then. One call at a time.
  Result<> reload(const config::ServiceConfig& next);

  // note_failed_reload counts and records that a new configuration could not be put in force, and why.
  void note_failed_reload(std::string_view why);

  // stop lets no further session begin.
  void stop();

  ServiceState& state() { return state_; }

 private:
  explicit Service(const ServiceParts& parts);
  Result<std::shared_ptr<Principal>> claim_session(const channel::Peer& peer);
  std::unexpected<Error> refuse(Refusal reason, Status status, std::string why);
  void open_audit(AuditMedium& medium);
  void log_stranger(const channel::Peer& peer);

  access::RateLimiter stranger_log_;  // strangers can't fill the log
  ServiceState state_;
};

// library_config is what the crypto library is to be loaded with.
crypto::LibraryConfig library_config(const config::ServiceConfig& config);

}  // namespace wvds::service
