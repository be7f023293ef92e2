#include "est_service/linux/daemon.h"

#include <sys/stat.h>

#include <atomic>
#include <csignal>

#include "base/log.h"
#include "config/linux/secret_path.h"
#include "est_service/file_records.h"
#include "est_service/linux/command_runner.h"
#include "est_service/linux/confinement.h"
#include "est_service/linux/tcp_dialer.h"
#include "est_service/serve.h"
#include "ossl_provider/provider.h"
#include "platform/hardening.h"
#include "platform/linux/log_sink.h"
#include "platform/linux/name_services.h"
#include "platform/linux/notify.h"
#include "platform/linux/sandbox.h"

namespace wvds::est_service {
namespace {

std::atomic<channel::Endpoint*> g_endpoint{nullptr};

void stop_serving(int) {
  if (channel::Endpoint* endpoint = g_endpoint.load(); endpoint != nullptr) endpoint->stop();
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// hold_signals keeps signals for serve_until_stopped.
void hold_signals() {
  const sigset_t set = stop_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  struct sigaction action{};
  action.sa_handler = stop_serving;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of the write, not the end
}

Result<> serve_until_stopped(channel::Endpoint& endpoint) {
  const sigset_t set = stop_signals();
  g_endpoint = &endpoint;
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  Result<> served = endpoint.run();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  g_endpoint = nullptr;
  return served;
}

channel::ListenOptions listen_options(const config::Est& est) {
  channel::ListenOptions options;
  options.address = est.socket_path;
  options.socket_mode = est.socket_mode;
  const auto watchdog = platform::watchdog_timeout();
  if (!watchdog) return options;
  options.tick_interval = std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 2);
  options.tick = [] { platform::notify_manager("WATCHDOG=1"); };
  return options;
}

// run closes the sandbox, serves until a signal, and tells the service manager.
Result<> run(channel::Endpoint& endpoint, platform::Sandbox& sandbox) {
  WVDS_TRY(sandbox.close());
  sandbox.log_state();
  platform::notify_manager("READY=1");
  Result<> served = serve_until_stopped(endpoint);
  platform::notify_manager("STOPPING=1");
  return served;
}

Result<> serve_clients(const config::ServiceConfig& config, const crypto::Library& library, CommandRunner& commands) {
  const config::Est& est = *config.est;
  RelayHub relay;
  RelayDialer relay_dialer(relay);
  WVDS_ASSIGN(tcp, TcpDialer::make());
  const bool relayed = est.transport == config::EstTransport::kRelay;
  System system{.dialer = relayed ? static_cast<Dialer&>(relay_dialer) : *tcp, .crypto_service = config.socket.path};
  WVDS_ASSIGN(records, open_file_records(platform::open_disk(est.folder)));
  system.records = std::move(records);
  system.password_file = config::secret_path;
  system.installed = [&, stop = tcp->stop_event()](const std::string& name) { commands.run(name, stop); };
  system.credential_is_writable = true;
  WVDS_ASSIGN(world, World::make(config, library, std::move(system)));
  platform::load_name_services({"hosts"});
  platform::Sandbox sandbox({.kind = platform::Confined::kEstService, .network = !relayed});
  WVDS_TRY(sandbox.confine_files(file_rules(est)));  // before the first thread
  Serving serving{.listen = listen_options(est), .reached_at = est.socket_path};
  serving.run = [&](channel::Endpoint& endpoint) { return run(endpoint, sandbox); };
  if (relayed) serving.relay = &relay;
  serving.interrupt = [&] {
    tcp->interrupt();
    relay.stop();
  };
  return serve(config, library, *world, std::move(serving));
}

}  // namespace

Result<> run_daemon(const config::ServiceConfig& config) {
  hold_signals();
  umask(077);
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(commands, CommandRunner::start(*config.est));  // before there are secrets
  WVDS_ASSIGN(library, crypto::Library::load(library_config(config)));
  WVDS_ASSIGN(provider, ossl_provider::add_provider(library->context()));
  WVDS_TRY(serve_clients(config, *library, *commands));
  log_info("stopped");
  return {};
}

}  // namespace wvds::est_service
