#include "channel/slot_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <vector>

#include "channel/testing/memory_region.h"
#include "platform/clock.h"

namespace wvds::channel {
namespace {

using namespace std::chrono_literals;

// Script is what the waiter of the client under test does instead of blocking.
struct Script {
  std::function<void()> during_wait = [] {};
  std::vector<Nanoseconds> limits;
  int rings = 0;
  bool connected = true;
};

class ScriptedClientWaiter : public ClientWaiter {
 public:
  explicit ScriptedClientWaiter(Script& script) : script_(script) {}
  void wait(uint32_t, std::chrono::nanoseconds limit) override {
    script_.limits.push_back(limit);
    script_.during_wait();
  }
  void ring() override { ++script_.rings; }
  bool connected() override { return script_.connected; }

 private:
  Script& script_;
};

class SlotClientTest : public ::testing::Test {
 protected:
  SlotIndex submitted() {
    const SlotIndex slot = client_->acquire().value();
    EXPECT_TRUE(client_->submit(slot).has_value());
    return slot;
  }
  void serve_all() {
    while (const auto slot = service_.take()) service_.complete(*slot);
  }

  static TimePoint after(std::chrono::hours hours) { return platform::monotonic_now() + hours; }

  testing::MemoryRegion memory_{2};
  ServiceSlots service_{memory_.region()};
  Script script_;
  std::unique_ptr<ClientEnd> client_ =
      std::make_unique<SlotClient>(memory_.region(), 42, 1, std::make_unique<ScriptedClientWaiter>(script_));
};

TEST_F(SlotClientTest, TellsSlotsAndEpoch) {
  EXPECT_EQ(client_->slot_count(), 2u);
  EXPECT_EQ(client_->epoch(), 42u);
}

TEST_F(SlotClientTest, DoesNotWaitForAnAnswerThatIsThere) {
  const SlotIndex slot = submitted();
  serve_all();
  EXPECT_TRUE(client_->answered(slot));
  EXPECT_TRUE(client_->await(slot, TimePoint::min()).has_value());
  EXPECT_TRUE(script_.limits.empty());
}

TEST_F(SlotClientTest, WaitsInSlicesOfAtMostFiftyMilliseconds) {
  const SlotIndex slot = submitted();
  int slices = 0;
  script_.during_wait = [&] {
    if (++slices == 5) serve_all();
  };
  EXPECT_TRUE(client_->await(slot, after(1h)).has_value());
  EXPECT_EQ(script_.limits, std::vector<Nanoseconds>(5, 50ms));
}

TEST_F(SlotClientTest, NeverWaitsBeyondTheDeadline) {
  const SlotIndex slot = submitted();
  const TimePoint deadline = platform::monotonic_now() + 30ms;
  const auto answer = client_->await(slot, deadline);
  EXPECT_EQ(answer.error().status, Status::kTimeout);
  EXPECT_GE(platform::monotonic_now(), deadline);
  for (Nanoseconds limit : script_.limits) EXPECT_LE(limit, 30ms);
}

TEST_F(SlotClientTest, TimesOutWithoutWaitingWhenTheDeadlineHasPassed) {
  const SlotIndex slot = submitted();
  EXPECT_EQ(client_->await(slot, TimePoint::min()).error().status, Status::kTimeout);
  EXPECT_TRUE(script_.limits.empty());
}

TEST_F(SlotClientTest, CanBeAwaitedAgainAfterATimeout) {
  const SlotIndex slot = submitted();
  EXPECT_EQ(client_->await(slot, TimePoint::min()).error().status, Status::kTimeout);
  serve_all();
  EXPECT_TRUE(client_->await(slot, TimePoint::min()).has_value());
}

TEST_F(SlotClientTest, LooksForTheServiceBeforeItSleepsAndAfterEverySlice) {
  const SlotIndex slot = submitted();
  script_.during_wait = [&] { script_.connected = false; };
  EXPECT_EQ(client_->await(slot, TimePoint::max()).error().status, Status::kDisconnected);
  EXPECT_EQ(script_.limits.size(), 1u);
}

TEST_F(SlotClientTest, TakesAnAnswerThatTheServiceGaveBeforeItDied) {
  const SlotIndex slot = submitted();
  script_.during_wait = [&] {
    serve_all();
    script_.connected = false;
  };
  EXPECT_TRUE(client_->await(slot, TimePoint::max()).has_value());
}

TEST_F(SlotClientTest, RefusesEverythingButReleaseOnceDisconnected) {
  const SlotIndex slot = submitted();
  const SlotIndex other = client_->acquire().value();
  script_.connected = false;
  EXPECT_EQ(client_->await(slot, TimePoint::max()).error().status, Status::kDisconnected);
  EXPECT_EQ(client_->await(slot, TimePoint::max()).error().status, Status::kDisconnected);
  EXPECT_EQ(client_->submit(other).error().status, Status::kDisconnected);
  EXPECT_EQ(client_->acquire().error().status, Status::kDisconnected);
  client_->release(slot);
  client_->release(other);
}

TEST_F(SlotClientTest, RingsOnlyAServiceThatSleeps) {
  submitted();
  EXPECT_EQ(script_.rings, 0);
  store(memory_.region().control().service_sleeping, 1);
  submitted();
  EXPECT_EQ(script_.rings, 1);
  EXPECT_EQ(load(memory_.region().control().service_bell), 1u);
}

TEST_F(SlotClientTest, SaysThatItSleepsWhileItDoesAndNotAfterwards) {
  const SlotIndex slot = submitted();
  uint32_t while_waiting = 0;
  script_.during_wait = [&] {
    while_waiting = load(memory_.region().control().client_sleeping);
    serve_all();
  };
  ASSERT_TRUE(client_->await(slot, TimePoint::max()).has_value());
  EXPECT_EQ(while_waiting, 1u);
  EXPECT_EQ(load(memory_.region().control().client_sleeping), 0u);
}

TEST_F(SlotClientTest, IsBusyWhenEverySlotIsInUse) {
  client_->release(submitted());  // abandoned, unfinished
  submitted();
  EXPECT_EQ(client_->acquire().error().status, Status::kBusy);
  serve_all();
  EXPECT_TRUE(client_->acquire().has_value()) << "the abandoned one is finished";
}

TEST_F(SlotClientTest, RefusesToAwaitOrSubmitWhatIsNotInThatState) {
  EXPECT_EQ(client_->await(0, TimePoint::max()).error().status, Status::kInvalidArgument);
  EXPECT_EQ(client_->submit(0).error().status, Status::kInvalidArgument);
  EXPECT_EQ(client_->submit(99).error().status, Status::kInvalidArgument);
  EXPECT_EQ(client_->await(99, TimePoint::max()).error().status, Status::kInvalidArgument);
}

TEST_F(SlotClientTest, WipesItsSlotsAtTheEnd) {
  const SlotIndex slot = submitted();
  Slot& shared = memory_.region().slot(slot);
  shared.request_area[100] = std::byte{1};
  shared.answer_area[kAnswerAreaSize - 1] = std::byte{1};
  client_.reset();
  EXPECT_EQ(shared.request_area[100], std::byte{0});
  EXPECT_EQ(shared.answer_area[kAnswerAreaSize - 1], std::byte{0});
}

}  // namespace
}  // namespace wvds::channel
