#include "channel/linux/waiters.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "channel/linux/futex.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;

void signal_eventfd(int fd) {
  const uint64_t one = 1;
  // fails only when the counter is full, and then whoever waits is already signalled
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);
}

class FutexServiceWaiter : public LinuxServiceWaiter {
 public:
  explicit FutexServiceWaiter(Region region) : control_(region.control()) {}

  void wait(uint32_t bell_value) override { wait_for_either(control_.service_bell, bell_value, stop_, 0); }
  void ring() override { shared_wake(control_.client_bell); }
  bool stopping() const override { return stop_.load() != 0; }
  void stop() override {
    stop_.store(1);
    private_wake(stop_);
  }
  int doorbell() const override { return -1; }

 private:
  Control& control_;
  PrivateWord stop_ = 0;
};

// The doorbell is never read: its open file belongs to the client too, who can make reading block. Edge-triggered, each
// ring is an event of its own without reading.
class EventfdServiceWaiter : public LinuxServiceWaiter {
 public:
  static Result<std::unique_ptr<LinuxServiceWaiter>> make(Region region) {
    std::unique_ptr<EventfdServiceWaiter> waiter(new EventfdServiceWaiter(region));
    if (!waiter->doorbell_ || !waiter->stop_bell_ || !waiter->events_ ||
        !waiter->watch(waiter->doorbell_, EPOLLIN | EPOLLET) || !waiter->watch(waiter->stop_bell_, EPOLLIN)) {
      return fail(Status::kLimitReached, std::string("no doorbell: ") + std::strerror(errno));
    }
    return waiter;
  }

  void wait(uint32_t) override {
    epoll_event event{};
    epoll_wait(events_.get(), &event, 1, -1);
  }
  void ring() override { shared_wake(control_.client_bell); }
  bool stopping() const override { return stopping_.load(); }
  void stop() override {
    stopping_.store(true);
    signal_eventfd(stop_bell_.get());
  }
  int doorbell() const override { return doorbell_.get(); }

 private:
  explicit EventfdServiceWaiter(Region region)
      : control_(region.control()),
        doorbell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        stop_bell_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        events_(epoll_create1(EPOLL_CLOEXEC)) {}

  bool watch(const UniqueFd& fd, uint32_t what) {
    epoll_event event{};
    event.events = what;
    return epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
  }

  Control& control_;
  UniqueFd doorbell_;
  UniqueFd stop_bell_;
  UniqueFd events_;
  std::atomic<bool> stopping_ = false;
};

}  // namespace

Waiting best_waiting() {
  static const Waiting best = has_wait_for_either() ? Waiting::kFutex : Waiting::kEventfd;
  return best;
}

Result<std::unique_ptr<LinuxServiceWaiter>> make_service_waiter(Waiting waiting, Region region) {
  if (waiting == Waiting::kEventfd) return EventfdServiceWaiter::make(region);
  return std::make_unique<FutexServiceWaiter>(region);
}

LinuxClientWaiter::LinuxClientWaiter(SharedMemory memory, uint32_t slot_count, UniqueFd socket, UniqueFd doorbell)
    : memory_(std::move(memory)),
      region_(memory_.base(), slot_count),
      socket_(std::move(socket)),
      doorbell_(std::move(doorbell)) {}

void LinuxClientWaiter::wait(uint32_t bell_value, std::chrono::nanoseconds limit) {
  shared_wait(region_.control().client_bell, bell_value, limit);
}

void LinuxClientWaiter::ring() {
  if (doorbell_) return signal_eventfd(doorbell_.get());
  shared_wake(region_.control().service_bell);
}

// The service says nothing after set-up: whatever the socket reports is the end. A poll that a signal cut short reports
// nothing.
bool LinuxClientWaiter::connected() {
  pollfd socket{socket_.get(), POLLIN | POLLRDHUP, 0};
  return poll(&socket, 1, 0) <= 0;
}

}  // namespace wvds::channel
