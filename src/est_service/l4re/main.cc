// wvds_est_service on L4Re: reads its configuration from a boot module and serves until the system ends. A client
// carries the bytes to the server and back.
#include "access/principal.h"
#include "base/log.h"
#include "client/default_address.h"
#include "config/l4re/load_config.h"
#include "config/l4re/run_program.h"
#include "est_service/check_config.h"
#include "est_service/sector_records.h"
#include "est_service/serve.h"
#include "ossl_provider/provider.h"
#include "platform/hardening.h"
#include "platform/l4re/block_device.h"
#include "platform/l4re/console_log.h"
#include "protocol/operations.h"

namespace wvds::est_service {
namespace {

std::expected<config::ServiceConfig, std::string> load(const std::string& path) {
  auto config = config::load_config(path, protocol::config_names());
  if (!config) return config;
  if (!config->est) return std::unexpected(path + ": has no section \"est\", which says what to enrol where\n");
  for (const auto check : {check_config, check_sector_config}) {
    if (const auto checked = check(*config->est); !checked)
      return std::unexpected(path + ": " + checked.error().detail);
  }
  return config;
}

Result<System> make_system(const config::Est& est, const crypto::Library& library, Dialer& dialer) {
  WVDS_ASSIGN(device, platform::open_block_device(est.folder));
  WVDS_ASSIGN(records, open_sector_records(std::move(device), library));
  System system{.dialer = dialer, .records = std::move(records), .crypto_service = client::default_address()};
  system.password_file = [](const config::SecretSource& source) -> Result<std::string> { return source.file; };
  system.installed = [](const std::string&) {};
  return system;
}

Result<> serve_clients(const config::ServiceConfig& config) {
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(library, crypto::Library::load(library_config(config)));
  WVDS_ASSIGN(provider, ossl_provider::add_provider(library->context()));
  RelayHub relay;
  RelayDialer dialer(relay);
  WVDS_ASSIGN(system, make_system(*config.est, *library, dialer));
  WVDS_ASSIGN(world, World::make(config, *library, std::move(system)));
  if (!config.est->credential.certificate_file.empty())
    log_warning("the credential is a boot module: it is not renewed",
                {{"file", config.est->credential.certificate_file}});
  Serving serving{.reached_at = "the gates of its clients", .relay = &relay};
  serving.listen.labels = access::labels_of(config.clients, protocol::Daemon::kEstService);
  serving.interrupt = [&] { relay.stop(); };
  serving.run = [](channel::Endpoint& endpoint) { return endpoint.run(); };
  return serve(config, *library, *world, std::move(serving));
}

int run(int argc, char** argv) { return config::run_program(argc, argv, load, serve_clients); }

}  // namespace
}  // namespace wvds::est_service

int main(int argc, char** argv) {
  wvds::platform::log_to_console();
  return wvds::est_service::run(argc, argv);
}
