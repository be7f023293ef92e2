// wvds_crypto_service on L4Re: reads its configuration from a boot module and serves until the system ends.
#include <cstdio>

#include "access/principal.h"
#include "base/log.h"
#include "channel/listen.h"
#include "config/l4re/load_config.h"
#include "config/l4re/run_program.h"
#include "keystore/block_medium.h"
#include "keystore/file/file_protector.h"
#include "platform/hardening.h"
#include "platform/l4re/block_device.h"
#include "platform/l4re/console_log.h"
#include "protocol/operations.h"
#include "service/service.h"
#include "service/start_up.h"

namespace wvds::service {
namespace {

std::expected<config::ServiceConfig, std::string> load_config(const std::string& path) {
  return config::load_config(path, protocol::config_names());
}

std::unique_ptr<keystore::Protector> make_protector(const config::FileProtector& settings) {
  if (settings.key.is_set()) return keystore::make_key_file_protector(keystore::file_name(settings.key.file));
  return keystore::make_passphrase_protector(keystore::file_name(settings.passphrase.file));
}

// AuditConsole writes the audit log's lines where the log goes; whoever records the console keeps them.
class AuditConsole final : public AuditMedium {
 public:
  bool remembers() const override { return false; }
  Result<std::string> read_current() override { return std::string(); }
  Result<std::string> read_former() override { return std::string(); }
  Result<> append(std::string_view line, bool) override {
    std::printf("audit: %.*s", static_cast<int>(line.size()), line.data());
    return {};
  }
  Result<> cut(uint64_t) override { return {}; }
  Result<> close_current(uint64_t, bool) override { return {}; }
};

channel::ListenOptions listen_options(const config::ServiceConfig& config, uint64_t epoch) {
  channel::ListenOptions options;
  options.slots = config.sessions.slots;
  options.epoch = epoch;
  options.labels = access::labels_of(config.clients, protocol::Daemon::kCryptoService);
  return options;
}

Result<> serve(const config::ServiceConfig& config) {
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(library, crypto::Library::load(library_config(config)));
  WVDS_ASSIGN(epoch, new_epoch(*library));
  WVDS_ASSIGN(device, platform::open_block_device(config.store.path));
  WVDS_ASSIGN(medium, keystore::open_or_format_block_medium(std::move(device), *library));
  const std::unique_ptr<keystore::Protector> protector = make_protector(*config.store.file);
  AuditConsole audit;
  const SystemClock clock;
  WVDS_ASSIGN(service, Service::create({config, *library, *medium, *protector, audit, clock, epoch}));
  WVDS_ASSIGN(endpoint, channel::listen(listen_options(config, epoch), *service));
  log_ready(config, *library, "the gates of its clients");
  if (library->fips_state() == crypto::FipsState::kActive) {
    log_info("L4Re is not a tested operational environment of the FIPS module's certificate");
  }
  return endpoint->run();
}

int run(int argc, char** argv) { return config::run_program(argc, argv, load_config, serve); }

}  // namespace
}  // namespace wvds::service

int main(int argc, char** argv) {
  wvds::platform::log_to_console();
  return wvds::service::run(argc, argv);
}
