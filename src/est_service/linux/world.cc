#include "est_service/linux/world.h"

#include <span>

#include "est_service/linux/command.h"
#include "est_service/linux/credentials.h"

namespace wvds::est_service {
namespace {

std::unexpected<Error> not_started(const est::Failure& failure) {
  return fail(Status::kInvalidArgument,
              failure.detail + " (" + est::failure_name(failure.kind) + ": " + est::failure_advice(failure.kind) + ")");
}

HttpsSettings https_settings(const config::Est& est, const crypto::Library& library, Dialer& dialer,
                             est::ServerUrl url) {
  HttpsSettings settings{.library = library, .dialer = dialer, .url = std::move(url)};
  settings.tls12_allowed = est.least_tls == config::TlsVersion::kTls12;
  settings.timeout = std::chrono::seconds(est.timeout_s);
  settings.username = est.credential.username;
  settings.password = [source = est.credential.password] { return read_password(source); };
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

World::World(const config::ServiceConfig& config, const crypto::Library& library, Dialer& dialer,
             std::unique_ptr<platform::Disk> disk, Folder folder, est::ServerUrl url, int stop)
    : disk_(std::move(disk)),
      folder_(std::move(folder)),
      server_(https_settings(*config.est, library, dialer, std::move(url))),
      keys_(library, config.socket.path),
      surroundings_{*config.est, library, server_, keys_, folder_, {}, {}, {}, {}, {}, {}} {
  surroundings_.random = [&library] { return random_number(library); };
  surroundings_.installed = [&est = *config.est, stop](const std::string& name) {
    run_command(est.after_renewal, name, stop);
  };
  if (config.est->credential.certificate_file.empty()) return;
  surroundings_.file_identity = [this, &library, &credential = config.est->credential] {
    return read_file_identity(library, credential, keys_);
  };
  surroundings_.save_credential = [&path = config.est->credential.certificate_file](const std::string& pem) {
    return save_credential(path, pem);
  };
}

Result<std::unique_ptr<World>> World::make(const config::ServiceConfig& config, const crypto::Library& library,
                                           Dialer& dialer, int stop) {
  auto url = est::parse_server_url(config.est->server);
  if (!url) return not_started(url.error());
  auto disk = platform::open_disk(config.est->folder);
  auto folder = Folder::open(library, *disk);
  if (!folder) return not_started(folder.error());
  std::unique_ptr<World> world(
      new World(config, library, dialer, std::move(disk), std::move(*folder), std::move(*url), stop));
  const config::EstTrust& trust = config.est->trust;
  WVDS_TRY(read_anchors(trust.anchors_file, library, world->surroundings_.configured_anchors));
  WVDS_TRY(read_anchors(trust.implicit_anchors_file, library, world->surroundings_.implicit_anchors));
  return world;
}

}  // namespace wvds::est_service
