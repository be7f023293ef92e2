// What needs more than one process: deaths, and peers that do whatever they like.

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "channel/linux/client_end.h"
#include "channel/linux/futex.h"
#include "channel/linux/testing/child_process.h"
#include "channel/linux/testing/raw_client.h"
#include "channel/linux/testing/service_thread.h"

namespace wvds::channel {
namespace {

using testing::call;
using testing::ChildProcess;
using testing::Journal;
using testing::Pipe;
using testing::RawClient;
using testing::ServiceThread;
using testing::until;
using testing::watchdog;

// run_service is the body of a service process: it tells when clients can come, and runs until it is killed.
void run_service(const std::string& path, uint64_t epoch, Pipe& ready, LinuxTuning tuning = {}) {
  testing::TestFactory factory;
  ListenOptions options;
  options.address = path;
  options.epoch = epoch;
  auto endpoint = listen_on_linux(options, tuning, factory);
  ASSERT_TRUE(endpoint.has_value()) << endpoint.error().detail;
  ready.tell();
  EXPECT_TRUE((*endpoint)->run().has_value());
}

class TwoProcesses : public ::testing::TestWithParam<Waiting> {
 protected:
  void SetUp() override {
    if (GetParam() == Waiting::kFutex && !has_wait_for_either()) GTEST_SKIP() << "NOT RUN: no futex_waitv here";
    tuning_.waiting = GetParam();
  }
  testing::TemporaryFolder folder_;
  const std::string path_ = folder_.path("s");
  LinuxTuning tuning_;
};
INSTANTIATE_TEST_SUITE_P(Each, TwoProcesses, ::testing::Values(Waiting::kFutex, Waiting::kEventfd),
                         [](const auto& info) { return info.param == Waiting::kFutex ? "Futex" : "Eventfd"; });

TEST_P(TwoProcesses, FindTheServiceDeadAndItsSuccessorByAnotherEpoch) {
  Pipe ready;
  ChildProcess first([&] { run_service(path_, 1, ready, tuning_); });
  ASSERT_TRUE(ready.told());
  auto client = connect(path_, watchdog());
  ASSERT_TRUE(client.has_value()) << client.error().detail;
  EXPECT_EQ(call(**client, "x"), "x");
  EXPECT_EQ((*client)->epoch(), 1u);
  first.kill_now();

  const SlotIndex slot = (*client)->acquire().value();
  ASSERT_TRUE((*client)->submit(slot).has_value());
  EXPECT_EQ((*client)->await(slot, TimePoint::max()).error().status, Status::kDisconnected);
  EXPECT_EQ((*client)->acquire().error().status, Status::kDisconnected);

  ChildProcess second([&] { run_service(path_, 2, ready, tuning_); });
  ASSERT_TRUE(ready.told()) << "the dead service's socket is replaced";
  auto again = connect(path_, watchdog());
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ((*again)->epoch(), 2u);
  EXPECT_EQ(call(**again, "y"), "y");
}

// The client sleeps in await when the service dies: the slices make it look (slot_client_test shows how long they are).
TEST_P(TwoProcesses, WakeAClientThatAwaitsADyingService) {
  Pipe ready;
  ChildProcess service([&] {
    testing::TestFactory factory([](const Request&) -> Verdict {
      kill(getpid(), SIGKILL);
      return Verdict::kValid;
    });
    ListenOptions options;
    options.address = path_;
    auto endpoint = listen_on_linux(options, tuning_, factory);
    ASSERT_TRUE(endpoint.has_value());
    ready.tell();
    (void)(*endpoint)->run();
  });
  ASSERT_TRUE(ready.told());
  auto client = connect(path_, watchdog());
  ASSERT_TRUE(client.has_value());
  const SlotIndex slot = (*client)->acquire().value();
  ASSERT_TRUE((*client)->submit(slot).has_value());
  EXPECT_EQ((*client)->await(slot, TimePoint::max()).error().status, Status::kDisconnected);
}

TEST_P(TwoProcesses, FreeAndWipeTheSessionOfAClientThatIsKilled) {
  Pipe go;
  Pipe connected;
  ChildProcess doomed([&] {
    if (!go.told()) return;
    auto client = connect(path_, watchdog());
    if (!client) return;
    EXPECT_EQ(call(**client, "secret"), "secret");
    connected.tell();
    pause();
  });
  testing::TestFactory factory;
  ListenOptions options;
  options.address = path_;
  auto endpoint = listen_on_linux(options, tuning_, factory);
  ASSERT_TRUE(endpoint.has_value());
  std::thread thread([&] { EXPECT_TRUE((*endpoint)->run().has_value()); });
  go.tell();
  EXPECT_TRUE(connected.told());
  doomed.kill_now();
  EXPECT_TRUE(factory.journal.reached(&Journal::Counts::destroyed, 1));
  EXPECT_TRUE(until([&] { return (*endpoint)->session_count() == 0; }));
  (*endpoint)->stop();
  thread.join();
}

// A heir keeps the dead client's socket open, so only the process's death tells; and its mapping, to look through.
TEST_P(TwoProcesses, EndTheSessionOfADeadClientWhoseSocketLivesOn) {
  Pipe go;
  Pipe connected;
  Pipe wiped;
  ChildProcess client([&] {
    if (!go.told()) return;
    RawClient raw(path_);
    if (!raw.connect()) return;
    raw.region().slot(0).request_area[0] = std::byte{0x5e};
    if (fork() == 0) {  // the heir ends with the wipe, or with the pipes of the test
      prctl(PR_SET_PDEATHSIG, 0);
      connected.tell();
      alarm(static_cast<unsigned>(testing::kWatchdog.count()));
      while (raw.region().slot(0).request_area[0] != std::byte{0}) std::this_thread::yield();
      wiped.tell();
      _exit(0);
    }
    pause();
  });
  testing::TestFactory factory;
  ListenOptions options;
  options.address = path_;
  auto endpoint = listen_on_linux(options, tuning_, factory);
  ASSERT_TRUE(endpoint.has_value());
  std::thread thread([&] { EXPECT_TRUE((*endpoint)->run().has_value()); });
  go.tell();
  EXPECT_TRUE(connected.told());
  client.kill_now();
  EXPECT_TRUE(factory.journal.reached(&Journal::Counts::destroyed, 1));
  EXPECT_TRUE(wiped.told());
  (*endpoint)->stop();
  thread.join();
}

TEST_P(TwoProcesses, LoseNoWakeupWithoutSlicesToHideIt) {
  constexpr uint32_t kTrips = 30'000;
  ServiceThread service(tuning_, [random = std::minstd_rand(1)](const Request& request) mutable {
    if (random() % 32 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 150));
    return testing::echo(request);
  });
  for (unsigned processors : {1u, 2u}) {
    const ClientTuning tuning{.processors = processors, .slice = std::chrono::hours(1)};
    auto client = connect_on_linux(service.path(), tuning, watchdog());
    ASSERT_TRUE(client.has_value());
    std::minstd_rand random(2);
    for (uint32_t i = 0; i < kTrips; ++i) {
      if (random() % 32 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 150));
      const TimePoint limit = watchdog();
      ASSERT_EQ(call(**client, std::to_string(i)), std::to_string(i));
      ASSERT_LT(platform::monotonic_now(), limit);
    }
  }
}

// Nothing that one client does to its region, its doorbell or its futexes reaches another's.
TEST_P(TwoProcesses, ServeOthersWhileAClientGoesWild) {
  Pipe go;
  Pipe wild;
  ChildProcess hostile([&] {
    if (!go.told()) return;
    RawClient raw(path_);
    if (!raw.connect()) return;
    std::minstd_rand random(3);
    Word hideout = 0;
    wild.tell();
    for (;;) {
      for (size_t i = 0; i < 200; ++i) raw.base()[random() % raw.size()] = std::byte(random());
      Control& control = raw.region().control();
      for (Word* word :
           {&control.service_sleeping, &control.service_bell, &control.client_sleeping, &control.client_bell}) {
        store(*word, random());
      }
      for (SlotIndex slot = 0; slot < raw.region().slot_count(); ++slot) {
        store(raw.region().slot(slot).request_word, random());
        store(raw.region().slot(slot).answer_word, random());
      }
      syscall(SYS_futex, &control.service_bell, FUTEX_CMP_REQUEUE, 0, 1000L, &hideout, load(control.service_bell));
      shared_wake(control.service_bell);
      const uint64_t many = random();
      if (raw.doorbell() >= 0) [[maybe_unused]]
        auto written = write(raw.doorbell(), &many, sizeof many);
    }
  });
  testing::TestFactory factory;
  ListenOptions options;
  options.address = path_;
  auto endpoint = listen_on_linux(options, tuning_, factory);
  ASSERT_TRUE(endpoint.has_value());
  std::thread thread([&] { EXPECT_TRUE((*endpoint)->run().has_value()); });
  go.tell();
  EXPECT_TRUE(wild.told());
  auto client = connect(path_, watchdog());
  ASSERT_TRUE(client.has_value());
  for (int i = 0; i < 2'000; ++i) ASSERT_EQ(call(**client, std::to_string(i)), std::to_string(i));
  hostile.kill_now();
  EXPECT_TRUE(factory.journal.reached(&Journal::Counts::destroyed, 1));
  EXPECT_EQ(call(**client, "still here"), "still here");
  (*endpoint)->stop();
  thread.join();
}

std::chrono::nanoseconds processor_time(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  EXPECT_EQ(clock_getcpuclockid(pid, &clock), 0);
  EXPECT_EQ(clock_gettime(clock, &time), 0);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Each client takes two descriptors, so with one of two limits the service has none left to accept the next with; with
// the other it accepts and can't watch the client.
class OutOfDescriptors : public ::testing::TestWithParam<rlim_t> {};
INSTANTIATE_TEST_SUITE_P(EvenAndOdd, OutOfDescriptors, ::testing::Values(24, 25));

TEST_P(OutOfDescriptors, TheServiceComesToRestAndAcceptsLater) {
  testing::TemporaryFolder folder;
  const std::string path = folder.path("s");
  Pipe ready;
  LinuxTuning tuning;
  tuning.setup_deadline = std::chrono::hours(1);
  tuning.max_setups = 1000;
  tuning.max_setups_per_user = 1000;
  tuning.accept_pause = std::chrono::seconds(2);
  ChildProcess service([&] {
    const rlimit few{GetParam(), GetParam()};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    run_service(path, 1, ready, tuning);
  });
  ASSERT_TRUE(ready.told());
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(std::make_unique<RawClient>(path));
  EXPECT_TRUE(until([&] {
    const auto before = processor_time(service.pid());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    return processor_time(service.pid()) == before;
  })) << "it never rests";
  silent.clear();
  EXPECT_TRUE(until([&] {
    auto client = connect(path, watchdog());
    return client && call(**client, "x") == "x";
  }));
}

}  // namespace
}  // namespace wvds::channel
