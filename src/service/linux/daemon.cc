#include "service/linux/daemon.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <sstream>

#include "base/log.h"
#include "channel/listen.h"
#include "keystore/folder_medium.h"
#include "platform/hardening.h"
#include "platform/linux/activation.h"
#include "platform/linux/notify.h"
#include "platform/linux/trusted_file.h"
#include "service/linux/audit_files.h"
#include "service/linux/confinement.h"
#include "service/linux/load_config.h"
#include "service/linux/metrics_file.h"
#include "service/linux/protectors.h"
#include "service/linux/reloader.h"
#include "service/linux/supervisor.h"
#include "service/metrics_handler.h"
#include "service/metrics_text.h"
#include "service/service.h"
#include "service/start_up.h"

namespace wvds::service {
namespace {

constexpr int kSignals[] = {SIGTERM, SIGINT, SIGHUP};

std::atomic<channel::Endpoint*> g_endpoint{nullptr};
std::atomic<Reloader*> g_reloader{nullptr};

void stop_or_reload(int number) {
  if (number == SIGHUP) {
    if (Reloader* reloader = g_reloader.load(); reloader != nullptr) reloader->request();
  } else if (channel::Endpoint* endpoint = g_endpoint.load(); endpoint != nullptr) {
    endpoint->stop();
  }
}

sigset_t signal_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kSignals) sigaddset(&set, number);
  return set;
}

// Signals makes SIGTERM and SIGINT stop an endpoint, and SIGHUP reload. Those that come before serve_until_stopped wait
// until then.
class Signals {
 public:
  Signals() {
    const sigset_t set = signal_set();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    struct sigaction action{};
    action.sa_handler = stop_or_reload;
    sigemptyset(&action.sa_mask);
    for (const int number : kSignals) sigaction(number, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of the write, not the end
  }

  Result<> serve_until_stopped(channel::Endpoint& endpoint, Reloader& reloader) {
    const sigset_t set = signal_set();
    g_endpoint = &endpoint;
    g_reloader = &reloader;
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    Result<> served = endpoint.run();
    sigprocmask(SIG_BLOCK, &set, nullptr);
    g_reloader = nullptr;
    g_endpoint = nullptr;
    return served;
  }
};

channel::ListenOptions listen_options(const config::ServiceConfig& config, uint64_t epoch, Supervisor& supervisor) {
  channel::ListenOptions options;
  options.address = config.socket.path;
  options.socket_mode = config.socket.mode;
  options.slots = config.sessions.slots;
  options.epoch = epoch;
  options.tick_interval = supervisor.tick_interval();
  options.tick = [&supervisor] { supervisor.tick(); };
  return options;
}

std::unique_ptr<MetricsFile> no_metrics_file() { return nullptr; }

Result<std::unique_ptr<MetricsFile>> start_metrics_file(const config::Metrics& config, const ServiceState& state) {
  if (config.file.empty()) return no_metrics_file();
  const BuildFacts build{state.version, state.library.version(), state.library.provider()};
  return MetricsFile::start(config.file, std::chrono::seconds(config.interval_s),
                            [&state, build] { return metrics_text(current_metrics(state), build); });
}

void log_not_reloaded(const std::string& problems) {
  log_error("configuration not reloaded: the one before stays in force");
  std::istringstream lines(problems);
  for (std::string line; std::getline(lines, line);) log_error("configuration", {{"problem", line}});
}

// Reload reads the configuration again and puts it in force.
class Reload {
 public:
  Reload(std::string config_path, Service& service, MetricsFile* metrics_file, const Supervisor& supervisor)
      : config_path_(std::move(config_path)), service_(service), metrics_file_(metrics_file), supervisor_(supervisor) {}

  void operator()() const {
    platform::notify_manager(platform::reloading_message());
    if (const auto reloaded = try_reload(); !reloaded) {
      log_not_reloaded(reloaded.error());
      service_.note_failed_reload(reloaded.error());
    }
    platform::notify_manager("READY=1\n" + supervisor_.status_line());
  }

 private:
  std::expected<void, std::string> try_reload() const try {
    const auto config = load_config(config_path_);
    if (!config) return std::unexpected(config.error());
    if (const Result<> reloaded = service_.reload(*config); !reloaded) return std::unexpected(reloaded.error().detail);
    if (metrics_file_ != nullptr) metrics_file_->set_interval(std::chrono::seconds(config->metrics.interval_s));
    return {};
  } catch (const std::exception& error) {  // no memory left
    return std::unexpected(error.what());
  }

  const std::string config_path_;
  Service& service_;
  MetricsFile* const metrics_file_;
  const Supervisor& supervisor_;
};

// listen takes the socket that the service manager holds, where it does; the configuration's is not made then.
Result<std::unique_ptr<channel::Endpoint>> listen(channel::ListenOptions options, std::optional<int> handed_over,
                                                  Service& service) {
  if (handed_over) {
    options.inherited_socket = *handed_over;
    log_info("the service manager's socket is used; socket.path and socket.mode are not");
  }
  return channel::listen(options, service);
}

Result<> serve(const config::ServiceConfig& config, const std::string& config_path, const crypto::Library& library,
               std::optional<int> socket, Signals& signals) {
  WVDS_ASSIGN(epoch, new_epoch(library));
  WVDS_ASSIGN(medium, keystore::open_folder_medium(platform::open_disk(config.store.path)));
  prepare_sandbox(config);
  WVDS_ASSIGN(protector, make_protector(config.store, config.store.protector, {config::audit_folder(config)}));
  platform::Sandbox sandbox(call_rules(config));
  WVDS_TRY(sandbox.confine_files(file_rules(config, config_path)));  // before the first thread
  AuditFiles audit(config::audit_folder(config), config.audit.files);
  const SystemClock clock;
  WVDS_ASSIGN(service, Service::create({config, library, *medium, *protector, audit, clock, epoch}));
  Supervisor supervisor(service->state());
  WVDS_ASSIGN(endpoint, listen(listen_options(config, epoch, supervisor), socket, *service));
  WVDS_ASSIGN(metrics_file, start_metrics_file(config.metrics, service->state()));
  WVDS_ASSIGN(reloader, Reloader::start(Reload(config_path, *service, metrics_file.get(), supervisor)));
  WVDS_TRY(sandbox.close());
  sandbox.log_state();
  log_ready(config, library, socket ? "the service manager's socket" : config.socket.path);
  platform::notify_manager("READY=1\n" + supervisor.status_line());
  WVDS_TRY(signals.serve_until_stopped(*endpoint, *reloader));
  service->stop();
  reloader.reset();  // no READY=1 after STOPPING=1
  log_info("stopping", {{"sessions", endpoint->session_count()}});
  platform::notify_manager("STOPPING=1");
  return {};
}

// load_library lets only modules be loaded that nobody but root and this user can write: they run in this process.
Result<std::unique_ptr<crypto::Library>> load_library(const config::ServiceConfig& config) {
  crypto::LibraryConfig wanted = library_config(config);
  for (crypto::EngineConfig& engine : wanted.engines) {
    auto module = platform::trusted_file(engine.module);
    if (!module)
      return fail(module.error().status, "the engine " + engine.module + " can't be used: " + module.error().detail);
    engine.module = std::move(*module);
  }
  return crypto::Library::load(wanted);
}

}  // namespace

Result<> run_daemon(const config::ServiceConfig& config, const std::string& config_path) {
  Signals signals;
  umask(077);  // what is meant for others gets its mode explicitly
  WVDS_ASSIGN(socket, platform::take_activation_socket());
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(library, load_library(config));
  WVDS_TRY(serve(config, config_path, *library, socket, signals));
  log_info("stopped");
  return {};
}

}  // namespace wvds::service
