#pragma once

#include <atomic>
#include <bitset>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channel/request.h"
#include "config/service_config.h"
#include "protocol/operations.h"
#include "service/rate_limiter.h"

namespace wvds::service {

// kLogLimit bounds the lines that one principal's failures, or all strangers together, can bring into the log.
inline constexpr config::RateLimit kLogLimit{.requests_per_second = 10, .burst = 50, .cooldown_ms = 0};

// Principal is one client of the config while the service runs: its rights, and what all its sessions share.
class Principal {
 public:
  explicit Principal(const config::Client& client);

  const std::string& name() const { return client_.name; }
  const config::Client& client() const { return client_; }
  bool may(protocol::Operation operation) const { return operations_.test(static_cast<uint8_t>(operation)); }

  // fixed_context is the only context string this principal may sign under with that key; null where its grant fixes
  // none.
  const std::string* fixed_context(uint32_t key_id) const;

  RateLimiter& rate_limiter() { return rate_limiter_; }
  RateLimiter& log_limiter() { return log_limiter_; }
  std::atomic<uint32_t>& unlogged() { return unlogged_; }

  // claim_session counts a session in; false at the principal's limit. Each success needs one release_session.
  bool claim_session();
  void release_session() { sessions_.fetch_sub(1); }

 private:
  const config::Client client_;
  std::bitset<256> operations_;
  std::map<uint32_t, std::string> fixed_contexts_;
  RateLimiter rate_limiter_;
  RateLimiter log_limiter_;
  std::atomic<uint32_t> unlogged_{0};
  std::atomic<uint32_t> sessions_{0};
};

class PrincipalTable {
 public:
  explicit PrincipalTable(const std::vector<config::Client>& clients);

  // resolve finds the principal of a peer: of those that fit, the one that names more of uid and gid (the uid counts
  // more); null when none fits. Where the system gives peers a label, only the label counts.
  Principal* resolve(const channel::Peer& peer) const;

 private:
  std::vector<std::unique_ptr<Principal>> principals_;
};

// claim counts one in below `limit`; false at the limit.
bool claim(std::atomic<uint32_t>& count, uint32_t limit);

}  // namespace wvds::service
