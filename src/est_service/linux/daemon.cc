#include "est_service/linux/daemon.h"

#include <sys/stat.h>

#include <atomic>
#include <csignal>

#include "base/log.h"
#include "channel/listen.h"
#include "est_service/gateway.h"
#include "est_service/linux/tcp_dialer.h"
#include "est_service/linux/world.h"
#include "est_service/relay.h"
#include "ossl_provider/provider.h"
#include "platform/hardening.h"
#include "platform/linux/log_sink.h"
#include "platform/linux/notify.h"
#include "platform/thread.h"
#include "platform/wall_clock.h"

namespace wvds::est_service {
namespace {

// How long the agent sleeps at most: a clock that was set meanwhile is noticed by then.
constexpr std::chrono::seconds kLongestSleep{60};
constexpr size_t kAgentStack = 1 << 20;

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

std::optional<int64_t> unix_now() {
  const auto now = platform::wall_clock_now();
  if (!now) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(now->time_since_epoch()).count();
}

// enrol_until_stopped is the agent's thread. A time of day says when something is due; the sleep is short enough to
// follow a clock that jumps.
void enrol_until_stopped(Agent& agent, Board& board) {
  do {
    const auto now = unix_now();
    const int64_t next = agent.step(now, board.take_wishes());
    const auto wait = std::chrono::seconds(next - now.value_or(0));
    if (!board.sleep(platform::monotonic_now() + std::min<std::chrono::seconds>(wait, kLongestSleep))) return;
  } while (true);
}

crypto::LibraryConfig library_config(const config::ServiceConfig& config) {
  crypto::LibraryConfig wanted;
  wanted.fips = static_cast<crypto::FipsMode>(config.fips.mode);
  wanted.modules_dir = config.fips.modules_dir;
  wanted.fips_config = config.fips.config;
  return wanted;
}

channel::ListenOptions listen_options(const config::ServiceConfig& config, uint64_t epoch) {
  channel::ListenOptions options;
  options.address = config.est->socket_path;
  options.socket_mode = config.est->socket_mode;
  options.slots = config.sessions.slots;
  options.epoch = epoch;
  const auto watchdog = platform::watchdog_timeout();
  if (!watchdog) return options;
  options.tick_interval = std::chrono::duration_cast<std::chrono::milliseconds>(*watchdog / 2);
  options.tick = [] { platform::notify_manager("WATCHDOG=1"); };
  return options;
}

// Enrolling is the agent's thread, ended with the object.
class Enrolling {
 public:
  static Result<std::unique_ptr<Enrolling>> start(Agent& agent, Board& board, std::function<void()> interrupt) {
    std::unique_ptr<Enrolling> enrolling(new Enrolling(board, std::move(interrupt)));
    WVDS_ASSIGN(thread, platform::Thread::start("est-agent", kAgentStack, [&] { enrol_until_stopped(agent, board); }));
    enrolling->thread_ = std::move(thread);
    return enrolling;
  }

  ~Enrolling() {
    board_.stop();
    interrupt_();
    thread_.join();
  }

 private:
  Enrolling(Board& board, std::function<void()> interrupt) : board_(board), interrupt_(std::move(interrupt)) {}

  Board& board_;
  const std::function<void()> interrupt_;
  platform::Thread thread_;
};

Result<> serve(const config::ServiceConfig& config, const crypto::Library& library) {
  Board board;
  RelayHub relay;
  RelayDialer relay_dialer(relay);
  WVDS_ASSIGN(tcp, TcpDialer::make());
  const bool relayed = config.est->transport == config::EstTransport::kRelay;
  Dialer& dialer = relayed ? static_cast<Dialer&>(relay_dialer) : *tcp;
  WVDS_ASSIGN(world, World::make(config, library, dialer, tcp->stop_event()));
  auto agent = Agent::load(world->surroundings(), board, unix_now());
  if (!agent) return fail(Status::kStorageError, agent.error().detail);
  uint64_t epoch = 0;
  WVDS_TRY(library.random(std::as_writable_bytes(std::span(&epoch, 1))));
  Gateway gateway(config, board, relayed ? &relay : nullptr);
  WVDS_ASSIGN(endpoint, channel::listen(listen_options(config, epoch), gateway));
  WVDS_ASSIGN(enrolling, Enrolling::start(**agent, board, [&] {
                tcp->interrupt();
                relay.stop();
              }));
  log_info("ready",
           {{"version", WVDS_VERSION}, {"reached_at", config.est->socket_path}, {"server", config.est->server}});
  platform::notify_manager("READY=1");
  Result<> served = serve_until_stopped(*endpoint);
  gateway.stop();
  log_info("stopping");
  platform::notify_manager("STOPPING=1");
  return served;
}

}  // namespace

Result<> run_daemon(const config::ServiceConfig& config) {
  hold_signals();
  umask(077);
  WVDS_TRY(platform::harden_process());
  WVDS_ASSIGN(library, crypto::Library::load(library_config(config)));
  WVDS_ASSIGN(provider, ossl_provider::add_provider(library->context()));
  WVDS_TRY(serve(config, *library));
  log_info("stopped");
  return {};
}

}  // namespace wvds::est_service
