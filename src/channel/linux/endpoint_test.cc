#include "channel/linux/endpoint.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <vector>

#include "channel/linux/futex.h"
#include "channel/linux/testing/raw_client.h"
#include "channel/linux/testing/service_thread.h"
#include "platform/thread.h"

namespace wvds::channel {
namespace {

using testing::call;
using testing::Gate;
using testing::Journal;
using testing::RawClient;
using testing::ServiceThread;
using testing::until;
using testing::watchdog;
using namespace std::chrono_literals;

LinuxTuning with_waiting(Waiting waiting) {
  LinuxTuning tuning;
  tuning.waiting = waiting;
  return tuning;
}

class EndpointTest : public ::testing::TestWithParam<Waiting> {
 protected:
  void SetUp() override {
    if (GetParam() == Waiting::kFutex && !has_wait_for_either()) GTEST_SKIP() << "NOT RUN: no futex_waitv here";
  }
  LinuxTuning tuning() const { return with_waiting(GetParam()); }
};
INSTANTIATE_TEST_SUITE_P(Each, EndpointTest, ::testing::Values(Waiting::kFutex, Waiting::kEventfd),
                         [](const auto& info) { return info.param == Waiting::kFutex ? "Futex" : "Eventfd"; });

TEST_P(EndpointTest, ServesAClient) {
  ServiceThread service(tuning());
  auto client = service.client();
  ASSERT_NE(client, nullptr);
  EXPECT_EQ(call(*client, "hello"), "hello");
  EXPECT_EQ(client->slot_count(), 8u);
  EXPECT_EQ(client->epoch(), 99u);
  EXPECT_EQ(service.endpoint().session_count(), 1u);
}

TEST_P(EndpointTest, ServesWithOneProcessorToo) {
  LinuxTuning one = tuning();
  one.processors = 1;
  ServiceThread service(one);
  auto client = service.client();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(call(*client, std::to_string(i)), std::to_string(i));
}

TEST_P(EndpointTest, ServesSixtyFourSessionsAtOnce) {
  ServiceThread service(tuning());
  std::vector<std::unique_ptr<ClientEnd>> clients;
  for (int i = 0; i < 64; ++i) clients.push_back(service.client());
  for (int round = 0; round < 3; ++round) {
    for (auto& client : clients) EXPECT_EQ(call(*client, "x"), "x");
  }
  EXPECT_EQ(service.endpoint().session_count(), 64u);
  service.stop();
  EXPECT_EQ(service.factory.journal.counts().destroyed, 64);
  EXPECT_EQ(service.endpoint().session_count(), 0u);
}

TEST_P(EndpointTest, FreesASessionWhoseClientLeaves) {
  ServiceThread service(tuning());
  auto client = service.client();
  EXPECT_EQ(call(*client, "x"), "x");
  client.reset();
  EXPECT_TRUE(service.factory.journal.reached(&Journal::Counts::destroyed, 1));
  EXPECT_TRUE(until([&] { return service.endpoint().session_count() == 0; }));
}

TEST_P(EndpointTest, FinishesTheRequestAtHandWhenStoppedAndLeavesTheAnswerReadable) {
  Gate working;
  Gate proceed;
  ServiceThread service(tuning(), [&](const Request& request) {
    working.open();
    proceed.pass();
    return testing::echo(request);
  });
  auto client = service.client();
  const SlotIndex first = client->acquire().value();
  testing::put(client->request_area(first), "at hand");
  ASSERT_TRUE(client->submit(first).has_value());
  ASSERT_TRUE(working.pass()) << "a scan that is past the first slot would take the second one first";
  const SlotIndex second = client->acquire().value();
  ASSERT_TRUE(client->submit(second).has_value());
  auto later = service.client();
  service.endpoint().stop();
  ASSERT_TRUE(service.factory.journal.reached(&Journal::Counts::destroyed, 1)) << "the later session is told last";
  proceed.open();
  service.stop();
  const auto answer = client->await(first, watchdog());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(testing::taken(*answer), "at hand");
  EXPECT_EQ(client->await(second, watchdog()).error().status, Status::kDisconnected);
  EXPECT_EQ(client->acquire().error().status, Status::kDisconnected);
  EXPECT_EQ(service.factory.journal.counts().handled, 1);
}

TEST_P(EndpointTest, WipesTheRegionOfAClientThatLeft) {
  ServiceThread service(tuning());
  RawClient client(service.path());
  ASSERT_TRUE(client.connect());
  Slot& slot = client.region().slot(7);
  std::fill_n(slot.request_area, kRequestAreaSize, std::byte{0x5e});
  std::fill_n(slot.answer_area, kAnswerAreaSize, std::byte{0x5e});
  client.hang_up();  // the mapping stays, to look through
  ASSERT_TRUE(service.factory.journal.reached(&Journal::Counts::destroyed, 1));
  EXPECT_TRUE(std::all_of(client.base(), client.base() + client.size(), [](std::byte b) { return b == std::byte{0}; }));
}

TEST_P(EndpointTest, EndsASessionWhoseWaiterWasStolen) {
  ServiceThread service(tuning());
  RawClient client(service.path());
  ASSERT_TRUE(client.connect());
  Word hideout = 0;
  const Word& bell = client.region().control().service_bell;
  if (GetParam() == Waiting::kFutex) {
    EXPECT_TRUE(until([&] { return syscall(SYS_futex, &bell, FUTEX_CMP_REQUEUE, 0, 1000L, &hideout, 0) > 0; }));
  }
  client.hang_up();
  EXPECT_TRUE(service.factory.journal.reached(&Journal::Counts::destroyed, 1));
}

TEST_P(EndpointTest, StopsWithManySessionsEvenOfClientsThatStoleTheirWaiters) {
  ServiceThread service(tuning());
  Word hideout = 0;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 16; ++i) {
    clients.push_back(std::make_unique<RawClient>(service.path()));
    ASSERT_TRUE(clients.back()->connect());
    const Word& bell = clients.back()->region().control().service_bell;
    if (GetParam() != Waiting::kFutex || i % 2 == 0) continue;
    EXPECT_TRUE(until([&] { return syscall(SYS_futex, &bell, FUTEX_CMP_REQUEUE, 0, 1000L, &hideout, 0) > 0; }));
  }
  service.stop();
  EXPECT_EQ(service.factory.journal.counts().destroyed, 16);
}

TEST_P(EndpointTest, ReportsWakeupsThatBringNothing) {
  ServiceThread service(tuning());
  RawClient client(service.path());
  ASSERT_TRUE(client.connect());
  Word& bell = client.region().control().service_bell;
  while (service.factory.journal.counts().wasted < 100) {
    store(bell, load(bell) + 1);
    shared_wake(bell);
    const uint64_t one = 1;
    if (client.doorbell() < 0) continue;
    ASSERT_EQ(write(client.doorbell(), &one, sizeof one), 8);
  }
}

// bound_while runs `body` with the calling thread bound to one processor.
template <class Body>
void bound_while(Body body) {
  ASSERT_TRUE(platform::bind_thread(static_cast<unsigned>(sched_getcpu())));
  body();
  platform::unbind_thread();
}

TEST_P(EndpointTest, BringsTheWorkerToAClientThatIsBoundToOneProcessor) {
  if (platform::available_processors() < 2) GTEST_SKIP() << "NOT RUN: this program may use one processor only";
  std::atomic<int> worker_at = -1;
  ServiceThread service(tuning(), [&](const Request& request) {
    const auto place = platform::bound_processor();
    worker_at = place ? static_cast<int>(*place) : -1;
    return testing::echo(request);
  });
  bound_while([&] {
    auto client = service.client();
    const int own = sched_getcpu();
    EXPECT_TRUE(until([&] { return call(*client, "one at a time") == "one at a time" && worker_at == own; }));
    EXPECT_TRUE(until([&] {
      const SlotIndex first = client->acquire().value();
      const SlotIndex second = client->acquire().value();
      EXPECT_TRUE(client->submit(first).has_value() && client->submit(second).has_value());
      for (const SlotIndex slot : {first, second}) {
        EXPECT_TRUE(client->await(slot, watchdog()).has_value());
        client->release(slot);
      }
      return worker_at == -1;
    })) << "two at a time need two processors";
  });
}

TEST_P(EndpointTest, LeavesTheWorkerAloneWhenTheClientMayMove) {
  if (platform::available_processors() < 2) GTEST_SKIP() << "NOT RUN: this program may use one processor only";
  std::atomic<int> bound = 0;
  ServiceThread service(tuning(), [&](const Request& request) {
    if (platform::bound_processor()) ++bound;
    return testing::echo(request);
  });
  auto client = service.client();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(call(*client, "x"), "x");
  EXPECT_EQ(bound, 0);
}

TEST(Endpoint, SaysWhoTheClientIs) {
  ServiceThread service;
  auto client = service.client();
  service.stop();
  EXPECT_EQ(service.factory.last_peer.uid, getuid());
  EXPECT_EQ(service.factory.last_peer.gid, getgid());
  EXPECT_EQ(service.factory.last_peer.pid, getpid());
}

TEST(Endpoint, TellsTheClientWhyItIsRefused) {
  for (Status refusal : {Status::kDenied, Status::kLimitReached, Status::kNotReady}) {
    ServiceThread service;
    service.factory.refusal = refusal;
    EXPECT_EQ(connect(service.path(), watchdog()).error().status, refusal);
  }
}

TEST(Endpoint, RefusesAClientOfAnotherLayoutVersion) {
  ServiceThread service;
  RawClient client(service.path());
  ASSERT_TRUE(client.say(SetupType::kHello, kLayoutVersion + 1).has_value());
  const auto answer = client.hear();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, Status::kUnsupported);
  EXPECT_EQ(answer->version, kLayoutVersion);
  EXPECT_TRUE(client.hung_up()) << "and hangs up";
  EXPECT_EQ(service.factory.journal.counts().opened, 0);
}

TEST(Endpoint, RefusesAClientThatSealedItsRegionFirst) {
  ServiceThread service;
  RawClient client(service.path());
  ASSERT_TRUE(client.say(SetupType::kHello).has_value());
  ASSERT_TRUE(client.hear().has_value());
  ASSERT_EQ(fcntl(client.memory(), F_ADD_SEALS, F_SEAL_SEAL), 0);
  ASSERT_TRUE(client.say(SetupType::kMapped).has_value());
  const auto answer = client.hear();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, Status::kDenied);
  EXPECT_EQ(service.endpoint().session_count(), 0u);
}

TEST(Endpoint, ServesNothingBeforeTheRegionIsSealed) {
  ServiceThread service;
  RawClient client(service.path());
  ASSERT_TRUE(client.say(SetupType::kHello).has_value());
  ASSERT_TRUE(client.hear().has_value());
  client.map();
  store(client.region().slot(0).request_word, 1);
  auto other = service.client();
  EXPECT_EQ(call(*other, "later client"), "later client");
  EXPECT_EQ(service.factory.journal.counts().handled, 1);
  EXPECT_EQ(fcntl(client.memory(), F_GET_SEALS) & F_SEAL_FUTURE_WRITE, 0);
  ASSERT_TRUE(client.say(SetupType::kMapped).has_value());
  ASSERT_TRUE(client.hear().has_value());
  EXPECT_NE(fcntl(client.memory(), F_GET_SEALS) & F_SEAL_FUTURE_WRITE, 0);
  EXPECT_TRUE(service.factory.journal.reached(&Journal::Counts::handled, 2));
}

TEST(Endpoint, HangsUpOnMessagesOutOfOrder) {
  ServiceThread service;
  for (SetupType first : {SetupType::kOffer, SetupType::kMapped, SetupType::kReady}) {
    RawClient client(service.path());
    ASSERT_TRUE(client.say(first).has_value());
    EXPECT_TRUE(client.hung_up());
  }
  RawClient client(service.path());
  ASSERT_TRUE(client.say(SetupType::kHello).has_value());
  ASSERT_TRUE(client.hear().has_value());
  ASSERT_TRUE(client.say(SetupType::kHello).has_value());
  EXPECT_TRUE(client.hung_up());
}

TEST(Endpoint, HangsUpOnMessagesThatOnlyAServiceSends) {
  ServiceThread service;
  RawClient with_status(service.path());
  ASSERT_TRUE(
      send_setup(with_status.socket(), {SetupType::kHello, Status::kDenied, kLayoutVersion, false}).has_value());
  EXPECT_TRUE(with_status.hung_up());
  RawClient with_doorbell(service.path());
  ASSERT_TRUE(
      send_setup(with_doorbell.socket(), {SetupType::kHello, Status::kSuccess, kLayoutVersion, true}).has_value());
  EXPECT_TRUE(with_doorbell.hung_up());
  RawClient changes_version(service.path());
  ASSERT_TRUE(changes_version.say(SetupType::kHello).has_value());
  ASSERT_TRUE(changes_version.hear().has_value());
  ASSERT_TRUE(changes_version.say(SetupType::kMapped, kLayoutVersion + 1).has_value());
  EXPECT_TRUE(changes_version.hung_up());
}

TEST(Endpoint, EndsTheSessionOfAClientThatSaysAnythingMore) {
  ServiceThread service;
  RawClient client(service.path());
  ASSERT_TRUE(client.connect());
  ASSERT_EQ(send(client.socket(), "more", 4, 0), 4);
  EXPECT_TRUE(service.factory.journal.reached(&Journal::Counts::destroyed, 1));
  EXPECT_TRUE(client.hung_up());
}

// Kernels from 6.16 on do not even let the client send one; the channel's own refusal is in setup_test.
TEST(Endpoint, TakesNoDescriptors) {
  ServiceThread service;
  const SetupMessage hello{SetupType::kHello, Status::kSuccess, kLayoutVersion, false};
  RawClient client(service.path());
  const int fds[] = {STDIN_FILENO};
  if (send_setup(client.socket(), hello, fds).has_value()) {
    EXPECT_TRUE(client.hung_up());
  }
  EXPECT_EQ(service.factory.journal.counts().opened, 0);
}

TEST(Endpoint, HangsUpOnAClientThatIsSilentTooLong) {
  LinuxTuning tuning;
  tuning.setup_deadline = 20ms;
  ServiceThread service(tuning);
  RawClient silent(service.path());
  EXPECT_TRUE(silent.hung_up());
  RawClient half(service.path());
  (void)half.say(SetupType::kHello);
  auto heard = half.hear();
  while (heard) heard = half.hear();  // the offer, if there was time for it
  EXPECT_EQ(heard.error().status, Status::kDisconnected);
  const int opened = service.factory.journal.counts().opened;
  EXPECT_TRUE(service.factory.journal.reached(&Journal::Counts::destroyed, opened)) << "its place is free again";
}

TEST(Endpoint, GivesSetUpOneSecondByDefault) { EXPECT_EQ(LinuxTuning{}.setup_deadline, 1s); }

TEST(Endpoint, KeepsServingWhileOthersAreSilent) {
  LinuxTuning tuning;
  tuning.setup_deadline = 1h;
  ServiceThread service(tuning);
  RawClient silent(service.path());
  auto client = service.client();
  EXPECT_EQ(call(*client, "x"), "x");
}

TEST(Endpoint, LimitsSetUpsOfOneUser) {
  LinuxTuning tuning;
  tuning.setup_deadline = 1h;
  tuning.max_setups_per_user = 3;
  ServiceThread service(tuning);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 3; ++i) silent.push_back(std::make_unique<RawClient>(service.path()));
  EXPECT_EQ(connect(service.path(), watchdog()).error().status, Status::kLimitReached);
  silent.pop_back();
  EXPECT_TRUE(until([&] { return connect(service.path(), watchdog()).has_value(); }));
}

TEST(Endpoint, LimitsSetUpsInAll) {
  LinuxTuning tuning;
  tuning.setup_deadline = 1h;
  tuning.max_setups = 2;
  ServiceThread service(tuning);
  RawClient first(service.path());
  RawClient second(service.path());
  EXPECT_EQ(connect(service.path(), watchdog()).error().status, Status::kLimitReached);
}

TEST(Endpoint, CanBeStoppedBeforeItRuns) {
  testing::TemporaryFolder folder;
  testing::TestFactory factory;
  ListenOptions options;
  options.address = folder.path("s");
  auto endpoint = listen(options, factory);
  ASSERT_TRUE(endpoint.has_value());
  (*endpoint)->stop();
  EXPECT_TRUE((*endpoint)->run().has_value());
}

Endpoint* stopped_by_signal = nullptr;

TEST(Endpoint, CanBeStoppedFromASignalHandler) {
  ServiceThread service;
  stopped_by_signal = &service.endpoint();
  struct sigaction action{};
  struct sigaction before{};
  action.sa_handler = [](int) { stopped_by_signal->stop(); };
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  ASSERT_EQ(raise(SIGUSR1), 0);
  service.stop();
  ASSERT_EQ(sigaction(SIGUSR1, &before, nullptr), 0);
}

TEST(Endpoint, RefusesOptionsOutOfRange) {
  testing::TemporaryFolder folder;
  testing::TestFactory factory;
  ListenOptions options;
  options.address = folder.path("s");
  for (uint32_t slots : {0u, 65u}) {
    options.slots = slots;
    EXPECT_EQ(listen(options, factory).error().status, Status::kInvalidArgument);
  }
  options.slots = 8;
  options.socket_mode = 04755;
  EXPECT_EQ(listen(options, factory).error().status, Status::kInvalidArgument);
}

TEST(Connect, SaysWhenThereIsNoService) {
  testing::TemporaryFolder folder;
  EXPECT_EQ(connect(folder.path("none"), watchdog()).error().status, Status::kConnectFailed);
  EXPECT_EQ(connect("", watchdog()).error().status, Status::kInvalidArgument);
}

TEST(Connect, EndsAtItsDeadline) {
  testing::TemporaryFolder folder;
  testing::TestFactory factory;
  ListenOptions options;
  options.address = folder.path("s");
  auto endpoint = listen(options, factory);  // and never run
  ASSERT_TRUE(endpoint.has_value());
  EXPECT_EQ(connect(options.address, platform::monotonic_now() + 20ms).error().status, Status::kTimeout);
  EXPECT_EQ(connect(options.address, TimePoint::min()).error().status, Status::kTimeout);
}

}  // namespace
}  // namespace wvds::channel
