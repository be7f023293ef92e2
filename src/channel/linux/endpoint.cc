#include "channel/linux/endpoint.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "base/log.h"
#include "channel/linux/listening_socket.h"
#include "channel/linux/session.h"
#include "channel/linux/setup.h"
#include "platform/clock.h"

namespace wvds::channel {
namespace {

using platform::TimePoint;
using platform::UniqueFd;

// What an event is about: one of the endpoint's own descriptors, or a session by its number (never by its address: a
// session may be gone before the rest of a batch of events is looked at). A session's number is even and stands for its
// socket; the next one stands for the life of its client.
enum Source : uint64_t { kListener = 0, kStop = 1, kEnded = 2, kFirstSession = 4 };
constexpr uint64_t kClientDied = 1;

constexpr int kAcceptsInARow = 16;
constexpr int kEventsInARow = 32;

// turn_away tells a client why there will be no session, as far as it can be told without waiting.
void turn_away(int socket, Status status) {
  (void)send_setup(socket, SetupMessage{SetupType::kOffer, status, kLayoutVersion, false});
}

class LinuxEndpoint : public Endpoint {
 public:
  LinuxEndpoint(const ListenOptions& options, const LinuxTuning& tuning, SessionFactory& factory,
                ListeningSocket listener)
      : tuning_(tuning),
        tick_(options.tick),
        tick_interval_(options.tick_interval),
        setting_{factory,
                 options.slots,
                 options.epoch,
                 tuning.waiting.value_or(best_waiting()),
                 SpinBudget(tuning.processors.value_or(platform::available_processors())),
                 0,
                 [this](uint64_t id) { worker_ended(id); }},
        listener_(std::move(listener)) {}

  ~LinuxEndpoint() override { end_all(); }

  Result<> prepare();
  Result<> run() override;
  void stop() override { signal(stop_); }
  uint32_t session_count() const override { return setting_.serving.load(); }

 private:
  static void signal(const UniqueFd& eventfd);
  bool watch(int fd, uint64_t source, uint32_t events, int operation = EPOLL_CTL_ADD);

  template <class Deed>
  static void attempt(Deed deed);
  void dispatch(const epoll_event& event);
  void accept_clients();
  void pause_accepting(int error);
  void resume_accepting();
  void welcome(UniqueFd socket);
  bool may_set_up(uint32_t uid) const;
  void socket_event(Session& session, uint32_t events);
  void client_gone(Session& session);
  void drop(uint64_t id);
  void drop_late_setups(TimePoint now);
  void descriptors_freed();
  int time_to_next_deadline(TimePoint now) const;

  void make_room_to_end();
  void worker_ended(uint64_t id);
  void collect_ended();
  std::optional<uint64_t> next_ended();
  void end_all();

  const LinuxTuning tuning_;
  const std::function<void()> tick_;
  const std::chrono::milliseconds tick_interval_;  // 0: no ticks
  TimePoint next_tick_{};                          // the first one is due at once
  SessionSetting setting_;
  UniqueFd events_;
  UniqueFd stop_;
  UniqueFd ended_bell_;
  std::mutex ended_mutex_;
  std::vector<uint64_t> ended_;  // sessions whose worker is at its end
  std::map<uint64_t, std::unique_ptr<Session>> sessions_;
  uint64_t next_id_ = kFirstSession;
  std::optional<TimePoint> accept_again_;  // set while accepting pauses
  bool pause_is_known_ = false;            // it is in the log
  ListeningSocket listener_;
};

Result<> LinuxEndpoint::prepare() {
  events_.reset(epoll_create1(EPOLL_CLOEXEC));
  stop_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ended_bell_.reset(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!events_ || !stop_ || !ended_bell_ || !watch(listener_.fd(), kListener, EPOLLIN) ||
      !watch(stop_.get(), kStop, EPOLLIN) || !watch(ended_bell_.get(), kEnded, EPOLLIN)) {
    return fail(Status::kInternalError, std::string("can't wait for clients: ") + std::strerror(errno));
  }
  return {};
}

// signal is called by signal handlers too: one system call, errno kept.
void LinuxEndpoint::signal(const UniqueFd& eventfd) {
  const int before = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(eventfd.get(), &one, sizeof one);
  errno = before;
}

bool LinuxEndpoint::watch(int fd, uint64_t source, uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = source;
  return epoll_ctl(events_.get(), operation, fd, &event) == 0;
}

Result<> LinuxEndpoint::run() {
  std::array<epoll_event, kEventsInARow> events{};
  for (;;) {
    const TimePoint now = platform::monotonic_now();
    drop_late_setups(now);
    if (tick_interval_.count() > 0 && next_tick_ <= now) {
      next_tick_ = now + tick_interval_;
      attempt([this] { tick_(); });
    }
    if (accept_again_ && *accept_again_ <= now) resume_accepting();
    const int count = epoll_wait(events_.get(), events.data(), kEventsInARow, time_to_next_deadline(now));
    if (count < 0 && errno != EINTR) {
      return fail(Status::kInternalError, std::string("can't wait for clients: ") + std::strerror(errno));
    }
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kStop) {
        end_all();
        return {};
      }
      attempt([&] { dispatch(events[i]); });
    }
  }
}

// attempt: where memory runs out, what was to be done for one client is left undone, and the others stay. A listener
// that is not heard now is reported again; a client whose set-up stands still is dropped at its deadline.
template <class Deed>
void LinuxEndpoint::attempt(Deed deed) try {
  deed();
} catch (const std::bad_alloc&) {
}

void LinuxEndpoint::dispatch(const epoll_event& event) {
  const uint64_t source = event.data.u64;
  if (source == kListener) return accept_clients();
  if (source == kEnded) return collect_ended();
  const auto found = sessions_.find(source & ~kClientDied);
  if (found == sessions_.end()) return;
  if ((source & kClientDied) != 0) return client_gone(*found->second);
  socket_event(*found->second, event.events);
}

void LinuxEndpoint::accept_clients() {
  for (int i = 0; i < kAcceptsInARow; ++i) {
    UniqueFd socket(accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      pause_is_known_ = false;
      welcome(std::move(socket));
      continue;
    }
    if (errno == ECONNABORTED || errno == EINTR) continue;
    if (errno != EAGAIN) pause_accepting(errno);
    return;
  }
}

// pause_accepting: the connection stays in the queue and would be reported again at once.
void LinuxEndpoint::pause_accepting(int error) {
  if (!std::exchange(pause_is_known_, true)) {
    log_warning("new sessions have to wait", {{"cause", std::strerror(error)}, {"sessions", sessions_.size()}});
  }
  watch(listener_.fd(), kListener, 0, EPOLL_CTL_MOD);
  accept_again_ = platform::monotonic_now() + tuning_.accept_pause;
}

void LinuxEndpoint::resume_accepting() {
  accept_again_.reset();
  watch(listener_.fd(), kListener, EPOLLIN, EPOLL_CTL_MOD);
}

void LinuxEndpoint::welcome(UniqueFd socket) {
  refuse_descriptors(socket.get());
  auto peer = identify(socket.get());
  if (!peer) return turn_away(socket.get(), Status::kNotReady);
  if (!may_set_up(peer->peer.uid)) return turn_away(socket.get(), Status::kLimitReached);
  const uint64_t id = std::exchange(next_id_, next_id_ + 2);
  make_room_to_end();
  auto session = std::make_unique<Session>(id, setting_, std::move(socket), std::move(*peer),
                                           platform::monotonic_now() + tuning_.setup_deadline);
  if (!watch(session->socket(), id, EPOLLIN | EPOLLRDHUP) || !watch(session->pidfd(), id | kClientDied, EPOLLIN)) {
    return turn_away(session->socket(), Status::kNotReady);
  }
  sessions_.emplace(id, std::move(session));
}

bool LinuxEndpoint::may_set_up(uint32_t uid) const {
  uint32_t all = 0;
  uint32_t of_user = 0;
  for (const auto& [id, session] : sessions_) {
    if (session->serving()) continue;
    ++all;
    if (session->uid() == uid) ++of_user;
  }
  return all < tuning_.max_setups && of_user < tuning_.max_setups_per_user;
}

// A client that is served has nothing more to say over the socket: whatever is reported ends its session.
void LinuxEndpoint::socket_event(Session& session, uint32_t events) {
  if (session.serving()) return client_gone(session);
  if (auto advanced = session.advance(); !advanced) {
    log(LogLevel::kDebug, "no session", {{"uid", session.uid()}, {"cause", advanced.error().detail}});
    return drop(session.id());
  }
  if (!session.serving() && (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) drop(session.id());
}

// client_gone: what is reported stays so, hence the descriptors are no longer watched while the worker comes to its
// end.
void LinuxEndpoint::client_gone(Session& session) {
  if (!session.serving()) return drop(session.id());
  epoll_ctl(events_.get(), EPOLL_CTL_DEL, session.socket(), nullptr);
  epoll_ctl(events_.get(), EPOLL_CTL_DEL, session.pidfd(), nullptr);
  session.client_gone();
}

void LinuxEndpoint::drop(uint64_t id) {
  if (sessions_.erase(id) > 0) descriptors_freed();
}

void LinuxEndpoint::drop_late_setups(TimePoint now) {
  const auto late = [&](const auto& entry) { return !entry.second->serving() && entry.second->deadline() <= now; };
  if (std::erase_if(sessions_, late) > 0) descriptors_freed();
}

void LinuxEndpoint::descriptors_freed() {
  if (accept_again_) accept_again_ = TimePoint::min();
}

// time_to_next_deadline is in milliseconds, rounded up so that the deadline has come afterwards; -1 when there is none.
int LinuxEndpoint::time_to_next_deadline(TimePoint now) const {
  std::optional<TimePoint> next = accept_again_;
  if (tick_interval_.count() > 0) next = next ? std::min(*next, next_tick_) : next_tick_;
  for (const auto& [id, session] : sessions_) {
    if (!session->serving()) next = next ? std::min(*next, session->deadline()) : session->deadline();
  }
  if (!next) return -1;
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(std::max(*next, now) - now).count());
}

// make_room_to_end: a worker's end must not want memory.
void LinuxEndpoint::make_room_to_end() {
  std::lock_guard lock(ended_mutex_);
  ended_.reserve(sessions_.size() + 1);
}

void LinuxEndpoint::worker_ended(uint64_t id) {
  {
    std::lock_guard lock(ended_mutex_);
    ended_.push_back(id);
  }
  signal(ended_bell_);
}

void LinuxEndpoint::collect_ended() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t length = read(ended_bell_.get(), &count, sizeof count);
  while (const auto id = next_ended()) drop(*id);
}

std::optional<uint64_t> LinuxEndpoint::next_ended() {
  std::lock_guard lock(ended_mutex_);
  if (ended_.empty()) return std::nullopt;
  const uint64_t id = ended_.back();
  ended_.pop_back();
  return id;
}

// end_all tells every worker before it waits for the first.
void LinuxEndpoint::end_all() {
  for (auto& [id, session] : sessions_) session->stop();
  sessions_.clear();
}

}  // namespace

Result<std::unique_ptr<Endpoint>> listen_on_linux(const ListenOptions& options, const LinuxTuning& tuning,
                                                  SessionFactory& factory) {
  if (!slot_count_is_valid(options.slots)) return fail(Status::kInvalidArgument, "slots must be 1 to 64");
  if ((options.socket_mode & ~0777u) != 0)
    return fail(Status::kInvalidArgument, "socket mode has other than permission bits");
  WVDS_ASSIGN(listener, options.inherited_socket < 0 ? ListeningSocket::open(options.address, options.socket_mode)
                                                     : ListeningSocket::adopt(UniqueFd(options.inherited_socket)));
  auto endpoint = std::make_unique<LinuxEndpoint>(options, tuning, factory, std::move(listener));
  WVDS_TRY(endpoint->prepare());
  return endpoint;
}

Result<std::unique_ptr<Endpoint>> listen(const ListenOptions& options, SessionFactory& factory) {
  return listen_on_linux(options, LinuxTuning{}, factory);
}

}  // namespace wvds::channel
