#pragma once

#include "channel/request.h"
#include "service/op_table.h"
#include "service/rights.h"
#include "service/scratch.h"
#include "service/service_state.h"

namespace wvds::service {

// Session serves one client's requests, one after the other, on its worker's thread. Every request ends with an answer;
// no input ends the session or the service.
class Session : public channel::RequestHandler {
 public:
  // The caller has claimed a session of the service and of the principal, which `peer` was found to be; the destructor
  // releases both. `state` must outlive the session.
  Session(ServiceState& state, std::shared_ptr<Principal> principal, channel::Peer peer, keystore::SessionId id);
  ~Session() override;

  channel::Verdict handle(const channel::Request& request) override;
  void answered() override;
  void idle() override { state_.store->refill_pool(); }
  void wasted_wakeup() override;

 private:
  struct Served;

  channel::Verdict answer(const channel::Request& request);
  void log_end() const;
  Served serve(UntrustedBytes area, MutableBytes answer);
  Result<size_t> run_handler(const OpEntry& entry, RequestContext& context, UntrustedBytes payload,
                             MutableBytes answer);
  Result<> admit(const OpEntry* entry);
  void follow_reload();
  bool take_token();
  void report(const Served& served);

  ServiceState& state_;
  std::shared_ptr<Principal> principal_;  // never null
  const std::string name_;                // of the principal
  const channel::Peer peer_;
  const keystore::SessionId id_;
  uint64_t rights_generation_ = 0;  // of the table that principal_ is from; 0: not looked at yet
  bool revoked_ = false;            // the peer is no longer this client
  SessionCounters counters_;
  Scratch scratch_;
  KeyCache keys_;
  KeyGuard guard_;
};

}  // namespace wvds::service
