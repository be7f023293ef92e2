#include "service/linux/daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "base/log.h"
#include "channel/listen.h"
#include "keystore/file/file_protector.h"
#include "keystore/folder_medium.h"
#include "platform/hardening.h"
#include "service/linux/notify.h"
#include "service/service.h"

namespace wvds::service {
namespace {

constexpr int kStopSignals[] = {SIGTERM, SIGINT, SIGHUP};

std::atomic<channel::Endpoint*> g_endpoint{nullptr};

void stop_endpoint(int) {
  if (channel::Endpoint* endpoint = g_endpoint.load(); endpoint != nullptr) endpoint->stop();
}

sigset_t stop_signal_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kStopSignals) sigaddset(&set, number);
  return set;
}

// StopSignals makes the stop signals stop an endpoint. Those that come before serve_until_stopped wait until then.
class StopSignals {
 public:
  StopSignals() {
    const sigset_t set = stop_signal_set();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    struct sigaction action{};
    action.sa_handler = stop_endpoint;
    sigemptyset(&action.sa_mask);
    for (const int number : kStopSignals) sigaction(number, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }

  Result<> serve_until_stopped(channel::Endpoint& endpoint) {
    const sigset_t set = stop_signal_set();
    g_endpoint = &endpoint;
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    Result<> served = endpoint.run();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    g_endpoint = nullptr;
    return served;
  }
};

std::unique_ptr<keystore::Protector> make_protector(const config::Store& store) {
  if (!store.key_file.empty()) return keystore::make_key_file_protector(keystore::file_name(store.key_file));
  return keystore::make_passphrase_protector(keystore::file_name(store.passphrase_file));
}

Result<uint64_t> new_epoch(const crypto::Library& library) {
  uint64_t epoch = 0;
  WVDS_TRY(library.random(std::as_writable_bytes(std::span(&epoch, 1))));
  return epoch;
}

channel::ListenOptions listen_options(const config::ServiceConfig& config, uint64_t epoch) {
  channel::ListenOptions options;
  options.address = config.socket.path;
  options.socket_mode = config.socket.mode;
  options.slots = config.sessions.slots;
  options.epoch = epoch;
  return options;
}

const char* fips_word(crypto::FipsState state) {
  switch (state) {
    case crypto::FipsState::kOff: return "off";
    case crypto::FipsState::kActive: return "active";
    case crypto::FipsState::kUnavailable: return "unavailable";
  }
  return "off";
}

void log_ready(const config::ServiceConfig& config, const crypto::Library& library) {
  log_info("ready", {{"version", WVDS_VERSION},
                     {"socket", config.socket.path},
                     {"store", config.store.path},
                     {"library", library.version()},
                     {"provider", library.provider()},
                     {"fips", fips_word(library.fips_state())}});
  if (!library.fips_detail().empty()) log_warning("no FIPS", {{"cause", library.fips_detail()}});
  notify_manager("READY=1");
}

Result<> serve(const config::ServiceConfig& config, const crypto::Library& library, StopSignals& signals) {
  WVDS_ASSIGN(epoch, new_epoch(library));
  WVDS_ASSIGN(medium, keystore::open_folder_medium(platform::open_disk(config.store.path)));
  const std::unique_ptr<keystore::Protector> protector = make_protector(config.store);
  const SystemClock clock;
  WVDS_ASSIGN(service, Service::create({config, library, *medium, *protector, clock, epoch}));
  WVDS_ASSIGN(endpoint, channel::listen(listen_options(config, epoch), *service));
  log_ready(config, library);
  WVDS_TRY(signals.serve_until_stopped(*endpoint));
  service->stop();
  log_info("stopping", {{"sessions", endpoint->session_count()}});
  notify_manager("STOPPING=1");
  return {};
}

}  // namespace

Result<> run_daemon(const config::ServiceConfig& config) {
  StopSignals signals;
  umask(077);  // what is meant for others gets its mode explicitly
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(library, crypto::Library::load(library_config(config)));
  WVDS_TRY(serve(config, *library, signals));
  log_info("stopped");
  return {};
}

}  // namespace wvds::service
