#include "access/principal.h"

#include <algorithm>

namespace wvds::access {
namespace {

// What nobody has to be granted: finding out whether the service lives and what it lets one do.
constexpr protocol::Operation kEverybodys[] = {protocol::Operation::kPing, protocol::Operation::kCapabilities};

// fitness is 0 where the client is somebody else, and grows with what it names of the peer.
int fitness(const config::Client& client, const channel::Peer& peer) {
  if (!peer.label.empty() || !client.label.empty()) return client.label == peer.label ? 1 : 0;
  if (client.uid && *client.uid != peer.uid) return 0;
  if (client.gid && *client.gid != peer.gid) return 0;
  return (client.uid ? 2 : 0) + (client.gid ? 1 : 0);
}

// limiter_for keeps the limiter that there is as long as the limit is the same. Tables are made one at a time.
std::shared_ptr<RateLimiter> limiter_for(Standing& standing, const config::RateLimit& limit) {
  if (standing.rate_limit != limit) {
    standing.rate_limit = limit;
    standing.limiter = std::make_shared<RateLimiter>(limit);
  }
  return standing.limiter;
}

}  // namespace

Standing::Standing(const config::RateLimit& limit) : rate_limit(limit), limiter(std::make_shared<RateLimiter>(limit)) {}

Principal::Principal(const config::Client& client, std::shared_ptr<Standing> standing)
    : client_(client),
      standing_(standing != nullptr ? std::move(standing) : std::make_shared<Standing>(client.rate_limit)),
      rate_limiter_(limiter_for(*standing_, client.rate_limit)) {
  for (const protocol::Operation operation : kEverybodys) operations_.set(static_cast<uint8_t>(operation));
  for (const std::string& name : client.operations) {
    if (const auto operation = protocol::operation_from_config_name(name)) {
      operations_.set(static_cast<uint8_t>(*operation));
    }
  }
  for (const config::KeyGrant& grant : client.grants) {
    if (grant.context) fixed_contexts_.emplace(grant.id, *grant.context);
  }
}

const std::string* Principal::fixed_context(uint32_t key_id) const {
  const auto found = fixed_contexts_.find(key_id);
  return found == fixed_contexts_.end() ? nullptr : &found->second;
}

bool Principal::may_log(platform::TimePoint now) {
  if (standing_->log_limiter.take(now)) return true;
  standing_->unlogged.fetch_add(1);
  return false;
}

bool Principal::claim_session() { return claim(standing_->sessions, client_.limits.sessions); }

PrincipalTable::PrincipalTable(const std::vector<config::Client>& clients, const PrincipalTable* before) {
  if (before != nullptr) standings_ = before->standings_;
  for (const config::Client& client : clients) {
    std::shared_ptr<Standing>& standing = standings_[client.name];
    principals_.push_back(std::make_shared<Principal>(client, standing));
    standing = principals_.back()->standing();
  }
}

std::shared_ptr<Principal> PrincipalTable::resolve(const channel::Peer& peer) const {
  std::shared_ptr<Principal> best;
  int best_fitness = 0;
  for (const auto& principal : principals_) {
    const int fits = fitness(principal->client(), peer);
    if (fits <= best_fitness) continue;
    best = principal;
    best_fitness = fits;
  }
  return best;
}

std::vector<std::string> labels_of(const std::vector<config::Client>& clients, protocol::Daemon daemon) {
  std::vector<std::string> labels;
  const auto is_there = [daemon](const std::string& word) {
    const auto operation = protocol::operation_from_config_name(word);
    return operation && protocol::operation_info(static_cast<uint8_t>(*operation))->daemon == daemon;
  };
  for (const config::Client& client : clients) {
    if (std::ranges::any_of(client.operations, is_there)) labels.push_back(client.label);
  }
  return labels;
}

bool claim(std::atomic<uint32_t>& count, uint32_t limit) {
  uint32_t before = count.load();
  do {
    if (before >= limit) return false;
  } while (!count.compare_exchange_weak(before, before + 1));
  return true;
}

}  // namespace wvds::access
