#include "channel/linux/waiters.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "channel/linux/futex.h"
#include "channel/linux/testing/service_thread.h"

namespace wvds::channel {
namespace {

using platform::UniqueFd;
using testing::kWatchdog;
using testing::until;
using testing::watchdog;

// steal moves futex waiters from the shared word to a word that only the thief knows, as a hostile client can.
long steal(const Word& word, Word value, Word* thiefs) {
  return syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 0, 1000L, thiefs, value);
}

// Sides is a worker's waiter and the client's own mapping of the region.
class Sides {
 public:
  explicit Sides(Waiting waiting)
      : waiter_(make_service_waiter(waiting, Region(memory_.base(), 1)).value()),
        client_map_(mmap(nullptr, memory_.size(), PROT_READ | PROT_WRITE, MAP_SHARED, memory_.fd(), 0)) {
    EXPECT_NE(client_map_, MAP_FAILED);
  }
  ~Sides() { munmap(client_map_, memory_.size()); }
  Sides(const Sides&) = delete;
  Sides& operator=(const Sides&) = delete;

  LinuxServiceWaiter& waiter() { return *waiter_; }
  const Word& bell() const { return Region(memory_.base(), 1).control().service_bell; }
  Word& client_bell() const { return Region(static_cast<std::byte*>(client_map_), 1).control().service_bell; }

  // ring does what an honest client does after a submit.
  void ring() {
    store(client_bell(), load(client_bell()) + 1);
    if (waiter_->doorbell() < 0) return shared_wake(client_bell());
    const uint64_t one = 1;
    EXPECT_EQ(write(waiter_->doorbell(), &one, sizeof one), 8);
  }

 private:
  SharedMemory memory_ = SharedMemory::create(region_size(1)).value();
  std::unique_ptr<LinuxServiceWaiter> waiter_;
  void* client_map_;
};

// Worker waits on a thread of its own until it is stopped.
class Worker {
 public:
  explicit Worker(LinuxServiceWaiter& waiter) : waiter_(waiter) {}
  ~Worker() {
    waiter_.stop();
    thread_.join();
  }

  bool out() const { return out_; }
  int returned() const { return returned_; }

 private:
  void work() {
    while (!waiter_.stopping()) {
      waiter_.wait(0);
      ++returned_;
    }
    out_ = true;
  }

  LinuxServiceWaiter& waiter_;
  std::atomic<int> returned_ = 0;
  std::atomic<bool> out_ = false;
  std::thread thread_{[this] { work(); }};
};

class ServiceWaiterTest : public ::testing::TestWithParam<Waiting> {
 protected:
  void SetUp() override {
    if (GetParam() == Waiting::kFutex && !has_wait_for_either()) GTEST_SKIP() << "NOT RUN: no futex_waitv here";
  }
};
INSTANTIATE_TEST_SUITE_P(Each, ServiceWaiterTest, ::testing::Values(Waiting::kFutex, Waiting::kEventfd),
                         [](const auto& info) { return info.param == Waiting::kFutex ? "Futex" : "Eventfd"; });

TEST_P(ServiceWaiterTest, ReturnsWhenTheClientRings) {
  Sides sides(GetParam());
  for (int i = 0; i < 1000; ++i) {
    const Word bell = load(sides.bell());
    std::thread client([&] { sides.ring(); });
    while (load(sides.bell()) == bell) sides.waiter().wait(bell);
    client.join();
  }
  EXPECT_FALSE(sides.waiter().stopping());
}

TEST_P(ServiceWaiterTest, RemembersARingThatCameBeforeTheWait) {
  Sides sides(GetParam());
  const Word bell = load(sides.bell());
  for (int i = 0; i < 10; ++i) {
    sides.ring();
    sides.waiter().wait(bell);
  }
}

TEST_P(ServiceWaiterTest, ReturnsWhenStopped) {
  Sides sides(GetParam());
  Worker worker(sides.waiter());
  sides.waiter().stop();
  EXPECT_TRUE(until([&] { return worker.out(); }));
  sides.waiter().wait(0);  // and every time from then on
}

// Waiting on the bell alone, the worker would be lost for good.
TEST(FutexWaiter, CannotBeKeptFromStopByAThiefOfFutexWaiters) {
  if (!has_wait_for_either()) GTEST_SKIP() << "NOT RUN: no futex_waitv here";
  Sides sides(Waiting::kFutex);
  Worker worker(sides.waiter());
  Word hideout = 0;
  EXPECT_TRUE(until([&] { return steal(sides.client_bell(), 0, &hideout) > 0; })) << "nothing was stolen";
  EXPECT_EQ(syscall(SYS_futex, &sides.client_bell(), FUTEX_WAKE, 1000, nullptr, nullptr, 0), 0)
      << "the bell wakes nobody any more";
  EXPECT_FALSE(worker.out());
  sides.waiter().stop();
  EXPECT_TRUE(until([&] { return worker.out(); }));
}

// The doorbell's open file belongs to the client too: it can make calls on it block, and empty it.
TEST(EventfdWaiter, CannotBeBlockedThroughTheDoorbell) {
  Sides sides(Waiting::kEventfd);
  ASSERT_EQ(fcntl(sides.waiter().doorbell(), F_SETFL, 0), 0);
  Worker worker(sides.waiter());
  for (int i = 0; i < 100; ++i) {
    const int before = worker.returned();
    sides.ring();
    EXPECT_TRUE(until([&] { return worker.returned() > before; }));
    uint64_t count = 0;
    ASSERT_EQ(read(sides.waiter().doorbell(), &count, sizeof count), 8);
  }
  sides.waiter().stop();
  EXPECT_TRUE(until([&] { return worker.out(); }));
}

class ClientWaiterTest : public ::testing::Test {
 protected:
  ClientWaiterTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    service_socket_.reset(ends[1]);
    SharedMemory memory = SharedMemory::create(region_size(1)).value();
    control_ = &Region(memory.base(), 1).control();
    waiter_ = std::make_unique<LinuxClientWaiter>(std::move(memory), 1, UniqueFd(ends[0]), UniqueFd());
  }

  UniqueFd service_socket_;
  Control* control_ = nullptr;
  std::unique_ptr<LinuxClientWaiter> waiter_;
};

TEST_F(ClientWaiterTest, ReturnsWhenTheServiceRings) {
  std::thread service([&] {
    store(control_->client_bell, 1);
    shared_wake(control_->client_bell);
  });
  const TimePoint limit = watchdog();
  waiter_->wait(0, kWatchdog);
  EXPECT_LT(platform::monotonic_now(), limit);
  service.join();
}

TEST_F(ClientWaiterTest, ReturnsAtItsLimit) { waiter_->wait(0, std::chrono::milliseconds(1)); }

TEST_F(ClientWaiterTest, SeesTheServiceHangUp) {
  EXPECT_TRUE(waiter_->connected());
  service_socket_.reset();
  EXPECT_FALSE(waiter_->connected());
}

TEST_F(ClientWaiterTest, TakesWhateverTheServiceSaysAfterSetUpAsTheEnd) {
  ASSERT_EQ(send(service_socket_.get(), "x", 1, 0), 1);
  EXPECT_FALSE(waiter_->connected());
}

}  // namespace
}  // namespace wvds::channel
