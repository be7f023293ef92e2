#pragma once

#include <atomic>
#include <bitset>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "access/rate_limiter.h"
#include "channel/request.h"
#include "config/service_config.h"
#include "protocol/operations.h"

// Who the clients of a daemon are and what they may do, for crypto_service and est_service.
namespace wvds::access {

// kLogLimit bounds the lines that one principal's failures, or all strangers together, can bring into the log.
inline constexpr config::RateLimit kLogLimit{.requests_per_second = 10, .burst = 50, .cooldown_ms = 0};

// Standing is what all sessions of a client share as long as the service runs, whatever its config says meanwhile.
struct Standing {
  explicit Standing(const config::RateLimit& limit);

  config::RateLimit rate_limit;  // of the limiter
  std::shared_ptr<RateLimiter> limiter;
  RateLimiter log_limiter{kLogLimit};
  std::atomic<uint32_t> unlogged{0};
  std::atomic<uint32_t> sessions{0};
};

// Principal is one client of the config: its rights, and what all its sessions share.
class Principal {
 public:
  // A client that was there before keeps its standing: a reload gives nobody new tokens, unless it changes the limit.
  explicit Principal(const config::Client& client, std::shared_ptr<Standing> standing = nullptr);

  const std::string& name() const { return client_.name; }
  const config::Client& client() const { return client_; }
  bool may(protocol::Operation operation) const { return operations_.test(static_cast<uint8_t>(operation)); }

  // fixed_context is the only context string this principal may sign under with that key; null where its grant fixes
  // none.
  const std::string* fixed_context(uint32_t key_id) const;

  RateLimiter& rate_limiter() { return *rate_limiter_; }
  RateLimiter& log_limiter() { return standing_->log_limiter; }

  // take_token takes a token for one request; false when there is none left.
  bool take_token(platform::TimePoint now) { return rate_limiter_->unlimited() || rate_limiter_->take(now); }

  // may_log takes this principal's turn in the log, or counts what is left out; unlogged gives that count, which begins
  // anew.
  bool may_log(platform::TimePoint now);
  uint32_t unlogged() { return standing_->unlogged.exchange(0); }

  // claim_session counts a session in; false at the principal's limit. Each success needs one release_session.
  bool claim_session();
  void release_session() { standing_->sessions.fetch_sub(1); }
  uint32_t sessions() const { return standing_->sessions.load(); }

  const std::shared_ptr<Standing>& standing() const { return standing_; }

 private:
  const config::Client client_;
  std::bitset<256> operations_;
  std::map<uint32_t, std::string> fixed_contexts_;
  const std::shared_ptr<Standing> standing_;
  const std::shared_ptr<RateLimiter> rate_limiter_;
};

// PrincipalTable is the clients of one config. Immutable but for what the principals share.
class PrincipalTable {
 public:
  // `before` is the table that this one follows: null at start.
  explicit PrincipalTable(const std::vector<config::Client>& clients, const PrincipalTable* before = nullptr);

  // resolve finds the principal of a peer: of those that fit, the one that names more of uid and gid (the uid counts
  // more); null when none fits. Where the system gives peers a label, only the label counts.
  std::shared_ptr<Principal> resolve(const channel::Peer& peer) const;

 private:
  std::vector<std::shared_ptr<Principal>> principals_;
  std::map<std::string, std::shared_ptr<Standing>> standings_;  // also of clients that former configs named
};

// labels_of lists the labels of the clients that have a right of this daemon's: the others don't come to it.
std::vector<std::string> labels_of(const std::vector<config::Client>& clients, protocol::Daemon daemon);

// claim counts one in below `limit`; false at the limit.
bool claim(std::atomic<uint32_t>& count, uint32_t limit);

}  // namespace wvds::access
