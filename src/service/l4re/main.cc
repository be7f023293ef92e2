// wvds_crypto_service on L4Re: reads its configuration from a boot module and serves until the system ends.
#include <cstdio>
#include <cstdlib>

#include "base/log.h"
#include "channel/listen.h"
#include "config/json.h"
#include "config/service_config.h"
#include "keystore/block_medium.h"
#include "keystore/file/file_protector.h"
#include "platform/hardening.h"
#include "platform/l4re/block_device.h"
#include "platform/wall_clock.h"
#include "protocol/operations.h"
#include "service/service.h"
#include "service/start_up.h"

namespace wvds::service {
namespace {

constexpr int kExitFailure = 1;
constexpr int kExitUsage = 2;  // command line or config

void to_log_capability(const LogRecord& record) {
  const std::string time = platform::time_text(platform::wall_clock_now(), platform::monotonic_now());
  std::printf("%s %s: %.*s\n", time.c_str(), log_level_word(record.level), static_cast<int>(record.line.size()),
              record.line.data());
}

std::expected<config::ServiceConfig, std::string> load_config(const std::string& path) {
  config::Vocabulary vocabulary;
  for (const auto& info : protocol::operations()) vocabulary.operations.emplace_back(info.config_name);
  keystore::FileName file = keystore::file_name(path);
  const auto content = file.folder->read(file.name, config::kMaxJsonSize);
  if (!content) return std::unexpected(content.error().detail + "\n");
  const std::string text(reinterpret_cast<const char*>(content->data()), content->size());
  return config::load_service_config(path, text, vocabulary);
}

Result<std::unique_ptr<keystore::Medium>> open_medium(const config::Store& store, const crypto::Library& library) {
  WVDS_ASSIGN(device, platform::open_block_device(store.path));
  WVDS_ASSIGN(blank, keystore::is_blank_block_device(*device, library));
  if (blank) {
    log_info("formatting the store's device", {{"device", device->name()}, {"sectors", device->sectors()}});
    WVDS_TRY(keystore::format_block_medium(*device, library));
  }
  return keystore::open_block_medium(std::move(device), library);
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
  for (const config::Client& client : config.clients) options.labels.push_back(client.label);
  return options;
}

Result<> serve(const config::ServiceConfig& config) {
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(library, crypto::Library::load(library_config(config)));
  WVDS_ASSIGN(epoch, new_epoch(*library));
  WVDS_ASSIGN(medium, open_medium(config.store, *library));
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

int run(const std::string& path) {
  const auto config = load_config(path);
  if (!config) {
    std::fputs(config.error().c_str(), stdout);
    return kExitUsage;
  }
  set_log_level(config->log_level);
  const Result<> served = serve(*config);
  if (served) return EXIT_SUCCESS;
  log_error(served.error().detail, {{"status", status_name(served.error().status)}});
  return kExitFailure;
}

}  // namespace
}  // namespace wvds::service

int main(int argc, char** argv) {
  wvds::set_log_sink(wvds::service::to_log_capability);
  return wvds::service::run(argc > 1 ? argv[1] : "/rom/config.json");
}
