#include "est_service/serve.h"

#include <span>
#include <stdexcept>
#include <utility>

#include "base/log.h"
#include "est_service/gateway.h"
#include "platform/thread.h"
#include "platform/wall_clock.h"

namespace wvds::est_service {
namespace {

// How long the agent sleeps at most: a clock that was set meanwhile is noticed by then.
constexpr std::chrono::seconds kLongestSleep{60};
constexpr size_t kAgentStack = 1 << 20;

std::optional<int64_t> unix_now() {
  const auto now = platform::wall_clock_now();
  if (!now) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(now->time_since_epoch()).count();
}

// FipsModule ends the program when OpenSSL's FIPS module fails under it: only a new start brings that back (FIPS
// 140-3), and until then no attempt could work.
class FipsModule {
 public:
  explicit FipsModule(const crypto::Library& library) : library_(library), is_fips_(is_active()) {}

  void expect_well() const {
    if (is_fips_ && !is_active())
      throw std::runtime_error("OpenSSL's FIPS module is in its error state, which a new start ends");
  }

 private:
  bool is_active() const { return library_.fips_state() == crypto::FipsState::kActive; }

  const crypto::Library& library_;
  const bool is_fips_;
};

// enrol_until_stopped is the agent's thread. A time of day says when something is due; the sleep is short enough to
// follow a clock that jumps.
void enrol_until_stopped(Agent& agent, Board& board, const FipsModule& module) {
  do {
    const auto now = unix_now();
    const int64_t next = agent.step(now, board.take_wishes());
    module.expect_well();
    const auto wait = std::chrono::seconds(next - now.value_or(0));
    if (!board.sleep(platform::monotonic_now() + std::min<std::chrono::seconds>(wait, kLongestSleep))) return;
  } while (true);
}

// Enrolling is the agent's thread, ended with the object.
class Enrolling {
 public:
  static Result<std::unique_ptr<Enrolling>> start(Agent& agent, Board& board, const FipsModule& module,
                                                  std::function<void()> interrupt) {
    std::unique_ptr<Enrolling> enrolling(new Enrolling(board, std::move(interrupt)));
    WVDS_ASSIGN(thread,
                platform::Thread::start("est-agent", kAgentStack, [&] { enrol_until_stopped(agent, board, module); }));
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

}  // namespace

crypto::LibraryConfig library_config(const config::ServiceConfig& config) {
  crypto::LibraryConfig wanted;
  wanted.fips = static_cast<crypto::FipsMode>(config.fips.mode);
  wanted.modules_dir = config.fips.modules_dir;
  wanted.fips_config = config.fips.config;
  return wanted;
}

Result<> serve(const config::ServiceConfig& config, const crypto::Library& library, World& world, Serving serving) {
  Board board;
  auto agent = Agent::load(world.surroundings(), board, unix_now());
  if (!agent) return fail(Status::kStorageError, agent.error().detail);
  serving.listen.slots = config.sessions.slots;
  WVDS_TRY(library.random(std::as_writable_bytes(std::span(&serving.listen.epoch, 1))));
  Gateway gateway(config, board, serving.relay);
  WVDS_ASSIGN(endpoint, channel::listen(serving.listen, gateway));
  const FipsModule module(library);
  WVDS_ASSIGN(enrolling, Enrolling::start(**agent, board, module, std::move(serving.interrupt)));
  log_info("ready", {{"version", WVDS_VERSION}, {"reached_at", serving.reached_at}, {"server", config.est->server}});
  Result<> served = serving.run(*endpoint);
  gateway.stop();
  log_info("stopping");
  return served;
}

}  // namespace wvds::est_service
