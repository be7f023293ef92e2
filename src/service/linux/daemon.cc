#include "service/linux/daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "base/log.h"
#include "channel/listen.h"
#include "keystore/folder_medium.h"
#include "platform/hardening.h"
#include "service/linux/notify.h"
#include "service/service.h"
#include "service/start_up.h"

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

channel::ListenOptions listen_options(const config::ServiceConfig& config, uint64_t epoch) {
  channel::ListenOptions options;
  options.address = config.socket.path;
  options.socket_mode = config.socket.mode;
  options.slots = config.sessions.slots;
  options.epoch = epoch;
  return options;
}

Result<> serve(const config::ServiceConfig& config, const crypto::Library& library, StopSignals& signals) {
  WVDS_ASSIGN(epoch, new_epoch(library));
  WVDS_ASSIGN(medium, keystore::open_folder_medium(platform::open_disk(config.store.path)));
  const std::unique_ptr<keystore::Protector> protector = make_protector(config.store);
  const SystemClock clock;
  WVDS_ASSIGN(service, Service::create({config, library, *medium, *protector, clock, epoch}));
  WVDS_ASSIGN(endpoint, channel::listen(listen_options(config, epoch), *service));
  log_ready(config, library, config.socket.path);
  notify_manager("READY=1");
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
