#include "service/service.h"

#include <exception>

#include "base/log.h"
#include "service/reload.h"
#include "service/service_handlers.h"
#include "service/session.h"
#include "service/start_up.h"

namespace wvds::service {
namespace {

keystore::StoreConfig store_config(const config::ServiceConfig& config, const Clock& clock) {
  keystore::StoreConfig out;
  out.wall_clock = [&clock] { return clock.wall_time(); };
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

std::string start_text(const ServiceState& state) {
  return "version " + state.version + ", store " + state.config.store.path + ", protector " +
         std::string(config::protector_word(state.config.store.protector)) + ", FIPS " +
         fips_word(state.library.fips_state());
}

std::vector<keystore::Principal> store_principals(const config::ServiceConfig& config) {
  std::vector<keystore::Principal> principals;
  principals.reserve(config.clients.size());
  for (const config::Client& client : config.clients) principals.push_back(store_principal(client));
  return principals;
}

}  // namespace

Service::Service(const ServiceParts& parts)
    : stranger_log_(access::kLogLimit),
      state_{.config = parts.config,
             .library = parts.library,
             .clock = parts.clock,
             .epoch = parts.epoch,
             .version = WVDS_VERSION,
             .started = parts.clock.now(),
             .store = nullptr,
             .rights = Rights(std::make_shared<PrincipalTable>(parts.config.clients)),
             .session_limit = parts.config.sessions.total,
             .guards = {},
             .rotation = nullptr} {}

Result<std::unique_ptr<Service>> Service::create(const ServiceParts& parts) {
  std::unique_ptr<Service> service(new Service(parts));
  WVDS_ASSIGN(store, keystore::KeyStore::open(parts.medium, parts.protector, parts.library,
                                              store_config(parts.config, parts.clock), store_principals(parts.config)));
  service->state_.store = std::move(store);
  service->open_audit(parts.audit);
  if (parts.config.keys.rotate_at_percent != 0) {
    WVDS_ASSIGN(rotation, AutoRotation::start(*service->state_.store, *service->state_.audit));
    service->state_.rotation = std::move(rotation);
  }
  for (const std::string& warning : service_warnings(service->state_)) log_warning(warning);
  return service;
}

void Service::open_audit(AuditMedium& medium) {
  AuditLog::Parts parts{.medium = medium, .library = state_.library, .max_bytes = state_.config.audit.max_bytes};
  parts.keep_head = [store = state_.store.get()](const AuditHead& head) { store->keep_audit_head(head); };
  state_.audit = AuditLog::open(std::move(parts), state_.store->audit_head());
  state_.audit->add({.event = "service-start", .detail = start_text(state_), .durable = true});
  for (const std::string& warning : state_.store->warnings())
    state_.audit->add({.event = "store", .status = Status::kStorageError, .detail = warning});
}

Result<std::unique_ptr<channel::RequestHandler>> Service::open(const channel::Peer& peer) {
  WVDS_ASSIGN(principal, claim_session(peer));
  try {
    const keystore::SessionId id = state_.next_session.fetch_add(1);
    if (principal->log_limiter().take(state_.clock.now())) {
      log_info("session opened",
               {{"principal", principal->name()}, {"session", id}, {"uid", peer.uid}, {"pid", peer.pid}});
    }
    auto session = std::make_unique<Session>(state_, principal, peer, id);
    state_.metrics.sessions_opened.fetch_add(1);
    return session;
  } catch (const std::exception& error) {  // no memory left
    principal->release_session();
    state_.sessions.fetch_sub(1);
    return refuse(Refusal::kClientLimit, Status::kLimitReached, error.what());
  }
}

// The store comes first: a session that follows the new table already finds its grants and limits there.
Result<> Service::reload(const config::ServiceConfig& next) {
  WVDS_TRY(state_.store->reconfigure(store_principals(next)));
  state_.rights.publish(std::make_shared<PrincipalTable>(next.clients, state_.rights.table().get()));
  state_.session_limit = next.sessions.total;
  set_log_level(next.log_level);
  std::vector<std::string> pending = needs_restart(state_.config, next);
  for (const std::string& setting : pending) log_warning("needs a restart", {{"setting", setting}});
  state_.pending_restart.set(std::move(pending));
  state_.metrics.reloads.fetch_add(1);
  log_info("configuration reloaded", {{"clients", next.clients.size()}, {"sessions", state_.sessions.load()}});
  state_.audit->add({.event = "reload", .durable = true});
  return {};
}

void Service::note_failed_reload(std::string_view why) {
  state_.metrics.failed_reloads.fetch_add(1);
  state_.audit->add({.event = "reload", .status = Status::kInvalidArgument, .detail = why, .durable = true});
}

void Service::stop() {
  if (!state_.stopping.exchange(true)) state_.audit->add({.event = "service-stop", .durable = true});
}

std::unexpected<Error> Service::refuse(Refusal reason, Status status, std::string why) {
  state_.metrics.sessions_refused[static_cast<size_t>(reason)].fetch_add(1);
  return fail(status, std::move(why));
}

// claim_session finds who is there and counts a session in.
Result<std::shared_ptr<Principal>> Service::claim_session(const channel::Peer& peer) {
  if (state_.stopping) return refuse(Refusal::kNotReady, Status::kNotReady, "stopping");
  auto principal = state_.rights.table()->resolve(peer);
  if (principal == nullptr) {
    log_stranger(peer);
    return refuse(Refusal::kStranger, Status::kDenied, "no client of the configuration");
  }
  if (!access::claim(state_.sessions, state_.session_limit))
    return refuse(Refusal::kServiceLimit, Status::kLimitReached, "the service has all its sessions");
  if (principal->claim_session()) return principal;
  state_.sessions.fetch_sub(1);
  return refuse(Refusal::kClientLimit, Status::kLimitReached, principal->name() + " has all its sessions");
}

void Service::log_stranger(const channel::Peer& peer) {
  if (!stranger_log_.take(state_.clock.now())) return;
  log_warning("stranger refused", {{"uid", peer.uid}, {"gid", peer.gid}, {"pid", peer.pid}, {"label", peer.label}});
  const std::string who = peer.label.empty() ? "uid " + std::to_string(peer.uid) + ", gid " + std::to_string(peer.gid) +
                                                   ", pid " + std::to_string(peer.pid)
                                             : peer.label;
  state_.audit->add({.event = "session", .status = Status::kDenied, .detail = who});
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
  for (const config::Engine& engine : config.engines)
    out.engines.push_back({engine.module, engine.algorithms, engine.properties});
  out.locked_memory_required = config.locked_memory.mode == config::LockedMemory::kRequired;
  return out;
}

}  // namespace wvds::service
