#include "est_service/world.h"

#include <span>
#include <utility>

#include "est_service/credentials.h"

namespace wvds::est_service {
namespace {

std::unexpected<Error> not_started(const est::Failure& failure) {
  return fail(Status::kInvalidArgument,
              failure.detail + " (" + est::failure_name(failure.kind) + ": " + est::failure_advice(failure.kind) + ")");
}

HttpsSettings https_settings(const config::Est& est, const crypto::Library& library, const System& system,
                             est::ServerUrl url) {
  HttpsSettings settings{.library = library, .dialer = system.dialer, .url = std::move(url)};
  settings.tls12_allowed = est.least_tls == config::TlsVersion::kTls12;
  settings.timeout = std::chrono::seconds(est.timeout_s);
  settings.username = est.credential.username;
  settings.password = [file = system.password_file,
                       &source = est.credential.password]() -> Result<crypto::LockedBytes> {
    WVDS_ASSIGN(path, file(source));
    return read_password(path);
  };
  return settings;
}

Result<> read_anchors(const std::string& path, const crypto::Library& library, std::vector<est::Certificate>& out) {
  if (path.empty()) return {};
  auto list = read_certificates(library, path);
  if (!list) return not_started(list.error());
  out = std::move(*list);
  return {};
}

uint64_t random_number(const crypto::Library& library) {
  uint64_t number = 0;  // stays 0 where there are no random numbers: jitter is no secret
  static_cast<void>(library.random(std::as_writable_bytes(std::span(&number, 1))));
  return number;
}

}  // namespace

World::World(const config::ServiceConfig& config, const crypto::Library& library, System system, est::ServerUrl url)
    : folder_(library, std::move(system.records)),
      server_(https_settings(*config.est, library, system, std::move(url))),
      keys_(library, std::move(system.crypto_service)),
      surroundings_{*config.est, library, server_, keys_, folder_} {
  surroundings_.random = [&library] { return random_number(library); };
  surroundings_.installed = std::move(system.installed);
  take_credential(config.est->credential, system.credential_is_writable);
}

void World::take_credential(const config::EstCredential& credential, bool is_writable) {
  if (credential.certificate_file.empty()) return;
  surroundings_.file_identity = [this, &credential] {
    return read_file_identity(surroundings_.library, credential, keys_);
  };
  if (!is_writable) return;
  surroundings_.save_credential = [&path = credential.certificate_file](const std::string& pem) {
    return save_credential(path, pem);
  };
}

Result<std::unique_ptr<World>> World::make(const config::ServiceConfig& config, const crypto::Library& library,
                                           System system) {
  auto url = est::parse_server_url(config.est->server);
  if (!url) return not_started(url.error());
  std::unique_ptr<World> world(new World(config, library, std::move(system), std::move(*url)));
  const config::EstTrust& trust = config.est->trust;
  WVDS_TRY(read_anchors(trust.anchors_file, library, world->surroundings_.configured_anchors));
  WVDS_TRY(read_anchors(trust.implicit_anchors_file, library, world->surroundings_.implicit_anchors));
  return world;
}

}  // namespace wvds::est_service
