#include "service/service.h"

#include <exception>

#include "base/log.h"
#include "service/service_handlers.h"
#include "service/session.h"

namespace wvds::service {
namespace {

keystore::StoreConfig store_config(const config::ServiceConfig& config) {
  keystore::StoreConfig out;
  out.window_capacity = config.replay_window.capacity;
  out.window_bytes = config.replay_window.total_bytes;
  out.use_limit = config.keys.use_limit;
  out.expanded_keys = config.keys.expanded_cache;
  return out;
}

keystore::Principal store_principal(const config::Client& client) {
  keystore::Principal out;
  out.name = client.name;
  out.limits.persistent_keys = client.limits.persistent_keys;
  out.limits.volatile_keys = client.limits.volatile_keys;
  out.limits.session_keys = client.limits.session_keys;
  out.limits.keys_per_minute = client.limits.keys_per_minute;
  out.limits.store_bytes = client.limits.store_bytes;
  out.limits.window_bytes = client.limits.window_bytes;
  for (const config::KeyGrant& grant : client.grants) out.grants.push_back({grant.id, grant.usages});
  return out;
}

}  // namespace

Service::Service(const ServiceParts& parts)
    : principals_(parts.config.clients),
      stranger_log_(kLogLimit),
      state_{.config = parts.config,
             .library = parts.library,
             .clock = parts.clock,
             .epoch = parts.epoch,
             .version = WVDS_VERSION,
             .started = parts.clock.now(),
             .store = nullptr,
             .guards = {},
             .rotation = nullptr} {}

Result<std::unique_ptr<Service>> Service::create(const ServiceParts& parts) {
  std::unique_ptr<Service> service(new Service(parts));
  std::vector<keystore::Principal> principals;
  for (const config::Client& client : parts.config.clients) principals.push_back(store_principal(client));
  WVDS_ASSIGN(store, keystore::KeyStore::open(parts.medium, parts.protector, parts.library, store_config(parts.config),
                                              std::move(principals)));
  service->state_.store = std::move(store);
  if (parts.config.keys.rotate_at_percent != 0) {
    WVDS_ASSIGN(rotation, AutoRotation::start(*service->state_.store));
    service->state_.rotation = std::move(rotation);
  }
  for (const std::string& warning : service_warnings(service->state_)) log_warning(warning);
  return service;
}

Result<std::unique_ptr<channel::RequestHandler>> Service::open(const channel::Peer& peer) {
  WVDS_ASSIGN(principal, claim_session(peer));
  try {
    const keystore::SessionId id = state_.next_session.fetch_add(1);
    if (principal->log_limiter().take(state_.clock.now())) {
      log_info("session opened",
               {{"principal", principal->name()}, {"session", id}, {"uid", peer.uid}, {"pid", peer.pid}});
    }
    return std::make_unique<Session>(state_, *principal, id);
  } catch (const std::exception& error) {  // no memory left
    principal->release_session();
    state_.sessions.fetch_sub(1);
    return fail(Status::kLimitReached, error.what());
  }
}

// claim_session finds who is there and counts a session in.
Result<Principal*> Service::claim_session(const channel::Peer& peer) {
  if (state_.stopping) return fail(Status::kNotReady, "stopping");
  Principal* principal = principals_.resolve(peer);
  if (principal == nullptr) {
    log_stranger(peer);
    return fail(Status::kDenied, "no client of the configuration");
  }
  if (!claim(state_.sessions, state_.config.sessions.total))
    return fail(Status::kLimitReached, "the service has all its sessions");
  if (principal->claim_session()) return principal;
  state_.sessions.fetch_sub(1);
  return fail(Status::kLimitReached, principal->name() + " has all its sessions");
}

void Service::log_stranger(const channel::Peer& peer) {
  if (!stranger_log_.take(state_.clock.now())) return;
  log_warning("stranger refused", {{"uid", peer.uid}, {"gid", peer.gid}, {"pid", peer.pid}, {"label", peer.label}});
}

crypto::LibraryConfig library_config(const config::ServiceConfig& config) {
  crypto::LibraryConfig out;
  switch (config.fips.mode) {
    case config::Fips::kOff: out.fips = crypto::FipsMode::kOff; break;
    case config::Fips::kPreferred: out.fips = crypto::FipsMode::kPreferred; break;
    case config::Fips::kRequired: out.fips = crypto::FipsMode::kRequired; break;
  }
  out.modules_dir = config.fips.modules_dir;
  out.fips_config = config.fips.config;
  out.secure_heap_bytes = config.locked_memory.bytes;
  out.locked_memory_required = config.locked_memory.mode == config::LockedMemory::kRequired;
  return out;
}

}  // namespace wvds::service
