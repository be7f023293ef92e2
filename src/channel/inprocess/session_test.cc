#include "channel/inprocess/session.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "channel/testing/test_service.h"

namespace wvds::channel {
namespace {

using testing::call;
using testing::Gate;
using testing::Journal;
using testing::Serve;
using testing::TestHandler;
using testing::watchdog;

std::unique_ptr<InProcessSession> start(Journal& journal, InProcessOptions options = {}, Serve serve = testing::echo) {
  auto session = InProcessSession::start(std::make_unique<TestHandler>(journal, std::move(serve)), options);
  EXPECT_TRUE(session.has_value());
  return std::move(*session);
}

// pause_for spends a random short time, sometimes long enough for the other side to go to sleep.
void pause_for(std::minstd_rand& random) {
  const uint32_t kind = random() % 64;
  if (kind == 0) return std::this_thread::sleep_for(std::chrono::microseconds(random() % 120));
  for (uint32_t i = random() % (kind < 16 ? 2000 : 20); i > 0; --i) relax();
}

class InProcess : public ::testing::TestWithParam<unsigned> {
 protected:
  InProcessOptions options(uint32_t slots = 8) const { return {.slots = slots, .epoch = 5, .processors = GetParam()}; }
  Journal journal_;
};
INSTANTIATE_TEST_SUITE_P(WithProcessors, InProcess, ::testing::Values(1, 2));

TEST_P(InProcess, CarriesARequestAndItsAnswer) {
  auto session = start(journal_, options());
  EXPECT_EQ(call(session->client(), "hello"), "hello");
  EXPECT_EQ(call(session->client(), "again"), "again");
  EXPECT_EQ(session->client().epoch(), 5u);
  EXPECT_EQ(session->client().slot_count(), 8u);
}

TEST_P(InProcess, CarriesAsManyRequestsAtOnceAsThereAreSlots) {
  auto session = start(journal_, options(64));
  ClientEnd& client = session->client();
  std::vector<SlotIndex> slots;
  for (int i = 0; i < 64; ++i) {
    slots.push_back(client.acquire().value());
    testing::put(client.request_area(slots.back()), std::to_string(i));
    ASSERT_TRUE(client.submit(slots.back()).has_value());
  }
  for (int i = 63; i >= 0; --i) {
    const auto answer = client.await(slots[i], watchdog());
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(testing::taken(*answer), std::to_string(i));
  }
}

// Neither side ever misses the other, whoever is about to sleep. Short slices would hide that the client was not woken,
// so it has none here: a lost wake-up of either side lasts until the watchdog.
TEST_P(InProcess, LosesNoWakeupInAHundredThousandRoundTrips) {
  InProcessOptions without_slices = options(3);
  without_slices.client_slice = std::chrono::hours(1);
  auto session = start(journal_, without_slices, [random = std::minstd_rand(1)](const Request& request) mutable {
    pause_for(random);
    return testing::echo(request);
  });
  std::minstd_rand random(2);
  ClientEnd& client = session->client();
  for (uint32_t i = 0; i < 100'000; ++i) {
    const SlotIndex slot = client.acquire().value();
    testing::put(client.request_area(slot), std::to_string(i));
    pause_for(random);
    ASSERT_TRUE(client.submit(slot).has_value());
    pause_for(random);
    const TimePoint limit = watchdog();
    const auto answer = client.await(slot, limit);
    ASSERT_TRUE(answer.has_value() && platform::monotonic_now() < limit) << i;
    ASSERT_EQ(testing::taken(*answer), std::to_string(i));
    client.release(slot);
  }
  EXPECT_EQ(journal_.counts().handled, 100'000);
  EXPECT_EQ(journal_.counts().wasted, 0) << "an honest client is never charged";
}

TEST_P(InProcess, KeepsPipelinedAnswersApartWhileSomeAreAbandoned) {
  auto session = start(journal_, options(4), [random = std::minstd_rand(3)](const Request& request) mutable {
    pause_for(random);
    return testing::echo(request);
  });
  std::minstd_rand random(4);
  ClientEnd& client = session->client();
  int compared = 0;
  for (uint32_t round = 0; compared < 10'000; ++round) {
    std::vector<std::pair<SlotIndex, std::string>> flying;
    while (auto slot = client.acquire()) {
      const std::string text = std::to_string(round) + "/" + std::to_string(flying.size());
      testing::put(client.request_area(*slot), text);
      ASSERT_TRUE(client.submit(*slot).has_value());
      flying.emplace_back(*slot, text);
    }
    for (auto& [slot, text] : flying) {
      if (random() % 3 != 0) {
        const auto answer = client.await(slot, watchdog());
        ASSERT_TRUE(answer.has_value());
        ASSERT_EQ(testing::taken(*answer), text);
        ++compared;
      }
      client.release(slot);
    }
  }
}

TEST_P(InProcess, FinishesTheRequestAtHandWhenStopped) {
  Gate working;
  Gate proceed;
  auto session = start(journal_, options(), [&](const Request& request) {
    working.open();
    proceed.pass();
    return testing::echo(request);
  });
  ClientEnd& client = session->client();
  const SlotIndex first = client.acquire().value();
  testing::put(client.request_area(first), "at hand");
  ASSERT_TRUE(client.submit(first).has_value());
  ASSERT_TRUE(working.pass());
  const SlotIndex second = client.acquire().value();
  ASSERT_TRUE(client.submit(second).has_value());
  session->stop();
  proceed.open();
  const auto answer = client.await(first, watchdog());
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(testing::taken(*answer), "at hand");
  EXPECT_EQ(client.await(second, watchdog()).error().status, Status::kDisconnected);
  EXPECT_EQ(journal_.counts().handled, 1);
}

TEST_P(InProcess, TimesOutAndDropsTheLateAnswer) {
  Gate proceed;
  auto session = start(journal_, options(1), [&](const Request& request) {
    proceed.pass();
    return testing::echo(request);
  });
  ClientEnd& client = session->client();
  const SlotIndex slot = client.acquire().value();
  testing::put(client.request_area(slot), "late");
  ASSERT_TRUE(client.submit(slot).has_value());
  const auto soon = platform::monotonic_now() + std::chrono::milliseconds(20);
  EXPECT_EQ(client.await(slot, soon).error().status, Status::kTimeout);
  client.release(slot);
  EXPECT_EQ(client.acquire().error().status, Status::kBusy);
  proceed.open();
  const TimePoint limit = watchdog();
  auto again = client.acquire();
  for (; !again && platform::monotonic_now() < limit; again = client.acquire()) std::this_thread::yield();
  ASSERT_TRUE(again.has_value()) << "free as soon as the service has finished it";
  client.release(*again);
  EXPECT_EQ(call(client, "next"), "next");
}

TEST_P(InProcess, EndsWhileAPeerWritesGarbageOverEveryControlWord) {
  auto session = start(journal_, options());
  std::atomic<bool> done = false;
  std::thread hostile([&, region = session->region()] {
    std::minstd_rand random(5);
    while (!done) {
      Control& control = region.control();
      for (Word* word :
           {&control.service_sleeping, &control.service_bell, &control.client_sleeping, &control.client_bell}) {
        store(*word, random());
      }
      for (SlotIndex slot = 0; slot < region.slot_count(); ++slot) {
        store(region.slot(slot).request_word, random());
        store(region.slot(slot).answer_word, random());
      }
      session->wake();
    }
  });
  EXPECT_TRUE(journal_.reached(&Journal::Counts::handled, 20'000)) << "the hostile client is served, oddly";
  session->stop();
  EXPECT_TRUE(journal_.reached(&Journal::Counts::destroyed, 1));
  done = true;
  hostile.join();
}

TEST(InProcessStart, RefusesSlotCountsOutOfRange) {
  Journal journal;
  for (uint32_t slots : {0u, 65u}) {
    auto session = InProcessSession::start(std::make_unique<TestHandler>(journal), {.slots = slots});
    EXPECT_EQ(session.error().status, Status::kInvalidArgument);
  }
}

TEST(InProcessStart, RunsSixtyFourSessionsSideBySide) {
  Journal journal;
  std::vector<std::unique_ptr<InProcessSession>> sessions;
  for (int i = 0; i < 64; ++i) sessions.push_back(start(journal, {.processors = 4}));
  for (int round = 0; round < 3; ++round) {
    for (auto& session : sessions) EXPECT_EQ(call(session->client(), "x"), "x");
  }
  sessions.clear();
  EXPECT_EQ(journal.counts().destroyed, 64);
}

}  // namespace
}  // namespace wvds::channel
