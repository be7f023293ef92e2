#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "access/principal.h"
#include "channel/request.h"
#include "config/service_config.h"
#include "est_service/board.h"
#include "est_service/relay.h"

namespace wvds::est_service {

// Gateway serves the clients of est_service: what stands on the board, and wishes to those who enrol.
class Gateway : public channel::SessionFactory {
 public:
  // `config` says who the clients are and how many sessions there may be. `relay` is null where est_service connects by
  // itself. All of it outlives the gateway.
  Gateway(const config::ServiceConfig& config, Board& board, RelayHub* relay = nullptr);
  ~Gateway() override = default;  // the sessions must have ended before

  // open makes a session for whoever the operating system says is there: kDenied for who is no client of the
  // configuration, or one without any right here; kLimitReached when the client or est_service has its sessions;
  // kNotReady after stop(). Any thread.
  Result<std::unique_ptr<channel::RequestHandler>> open(const channel::Peer& peer) override;

  // stop lets no further session begin, and wakes all who wait, by stopping the board and the relay too. To be called
  // before the channel's endpoint is stopped, which waits for its workers. Any thread.
  void stop();

  uint32_t session_count() const { return sessions_.load(); }

 private:
  friend class GatewaySession;

  Result<std::shared_ptr<access::Principal>> claim_session(const channel::Peer& peer);
  bool has_certificate(const std::string& name) const;

  const config::ServiceConfig& config_;
  Board& board_;
  RelayHub* const relay_;
  const access::PrincipalTable principals_;
  access::RateLimiter stranger_log_{access::kLogLimit};
  std::atomic<uint32_t> sessions_{0};
  std::atomic<uint64_t> last_session_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace wvds::est_service
