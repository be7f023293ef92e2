#include "channel/service_loop.h"

#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "channel/testing/memory_region.h"
#include "channel/testing/test_service.h"

namespace wvds::channel {
namespace {

using testing::Journal;
using testing::TestHandler;

// ScriptedWaiter does not block: each wait runs the next step of the script, and stops the loop when there is none
// left.
class ScriptedWaiter : public ServiceWaiter {
 public:
  void wait(uint32_t) override {
    looks_before_wait.push_back(std::exchange(looks_, 0));
    if (step_ == script.size()) return stop();
    script[step_++]();
  }
  void ring() override { ++rings; }
  bool stopping() const override {
    ++looks_;
    return stopping_;
  }
  void stop() override { stopping_ = true; }

  std::vector<std::function<void()>> script;
  std::vector<int> looks_before_wait;  // how often the loop looked since the wait before: many when it spun
  int rings = 0;

 private:
  size_t step_ = 0;
  mutable int looks_ = 0;
  bool stopping_ = false;
};

class ServiceLoopTest : public ::testing::Test {
 protected:
  void run(std::vector<std::function<void()>> script, unsigned processors = 1, testing::Serve serve = testing::echo) {
    waiter_.script = std::move(script);
    SpinBudget budget(processors);
    TestHandler handler(journal_, std::move(serve));
    ServiceLoop(memory_.region(), handler, waiter_, budget).run();
  }
  void submit() { ASSERT_TRUE(client_.submit(client_.acquire().value())); }

  void submit_and_release() {
    const SlotIndex slot = client_.acquire().value();
    ASSERT_TRUE(client_.submit(slot));
    client_.release(slot);
  }

  testing::MemoryRegion memory_{8};
  ClientSlots client_{memory_.region()};
  ScriptedWaiter waiter_;
  Journal journal_;
  static constexpr int kSpun = kEagerPolls;
};

TEST_F(ServiceLoopTest, ServesWhatIsPendingBeforeItEverSleeps) {
  submit();
  submit();
  run({});
  EXPECT_EQ(journal_.counts().handled, 2);
  EXPECT_EQ(journal_.counts().answered, 2);
  EXPECT_TRUE(client_.answered(0));
  EXPECT_TRUE(client_.answered(1));
}

TEST_F(ServiceLoopTest, TellsTheHandlerWhenThereIsTimeBeforeItSleeps) {
  int before_sleeping = -1;
  run({[&] {
         before_sleeping = journal_.counts().idle;
         submit();
       },
       [&] { EXPECT_EQ(journal_.counts().idle, 2) << "after the request, too"; }});
  EXPECT_EQ(before_sleeping, 1);
}

TEST_F(ServiceLoopTest, SaysThatItSleepsWhileItDoesAndNotAfterwards) {
  const Control& control = memory_.region().control();
  uint32_t while_waiting = 0;
  run({[&] {
    while_waiting = load(control.service_sleeping);
    submit();
  }});
  EXPECT_EQ(while_waiting, 1u);
  EXPECT_EQ(load(control.service_sleeping), 0u);
}

TEST_F(ServiceLoopTest, RingsOnlyForAClientThatSleeps) {
  Control& control = memory_.region().control();
  run({[&] { submit(); },
       [&] {
         EXPECT_EQ(waiter_.rings, 0);
         store(control.client_sleeping, 1);
         submit();
       }});
  EXPECT_EQ(waiter_.rings, 1);
  EXPECT_EQ(load(control.client_bell), 1u);
}

TEST_F(ServiceLoopTest, ReportsAWakeupThatBroughtNothing) {
  run({[] {}, [] {}, [] {}});
  EXPECT_EQ(journal_.counts().wasted, 3);
}

TEST_F(ServiceLoopTest, ExcusesOneLateRingForARequestThatWasServed) {
  run({[&] { submit(); }, [] {}, [] {}});
  EXPECT_EQ(journal_.counts().wasted, 1) << "the first empty wake-up may have been the ring for the request";
}

TEST_F(ServiceLoopTest, DoesNotReportTheWakeupOfStop) {
  run({});
  EXPECT_EQ(journal_.counts().wasted, 0);
}

TEST_F(ServiceLoopTest, LooksForTheNextRequestOfAGoodSession) {
  run({[&] { submit(); }}, 2);
  ASSERT_EQ(waiter_.looks_before_wait.size(), 2u);
  EXPECT_GE(waiter_.looks_before_wait[1], kSpun);
}

TEST_F(ServiceLoopTest, NeverSpinsWithOneProcessor) {
  submit();
  run({[&] { submit(); }, [&] { submit(); }}, 1);
  for (int looks : waiter_.looks_before_wait) EXPECT_LT(looks, kSpun);
}

TEST_F(ServiceLoopTest, StopsLookingForASessionAfterWakeupsWithoutAValidRequest) {
  std::vector<std::function<void()>> script(2, [] {});
  script.insert(script.end(), ServiceSpin::kProbation + 2, [&] { submit_and_release(); });
  run(script, 2);
  const auto& looks = waiter_.looks_before_wait;
  ASSERT_EQ(looks.size(), script.size() + 1);
  EXPECT_GE(looks.front(), kSpun);
  for (size_t i = 2; i < 2 + ServiceSpin::kProbation; ++i) EXPECT_LT(looks[i], kSpun) << i;
  EXPECT_GE(looks.back(), kSpun) << "trusted again";
}

TEST_F(ServiceLoopTest, DoesNotLookForMoreAfterAnInvalidRequest) {
  run({[&] { submit(); }, [&] { submit(); }}, 2, [](const Request&) { return Verdict::kInvalid; });
  EXPECT_EQ(journal_.counts().handled, 2);
  EXPECT_LT(waiter_.looks_before_wait[1], kSpun);
  EXPECT_LT(waiter_.looks_before_wait[2], kSpun);
}

TEST_F(ServiceLoopTest, FinishesTheRequestAtHandAndTakesNoOtherOnceStopped) {
  submit();
  submit();
  run({}, 1, [&](const Request& request) {
    waiter_.stop();
    return testing::echo(request);
  });
  EXPECT_EQ(journal_.counts().handled, 1);
  EXPECT_TRUE(client_.answered(0));
  EXPECT_FALSE(client_.answered(1));
}

TEST_F(ServiceLoopTest, ServesForATransportThatBlocksElsewhere) {
  SpinBudget budget(1);
  TestHandler handler(journal_);
  ServiceLoop loop(memory_.region(), handler, waiter_, budget);
  EXPECT_EQ(loop.serve_pending(), 0u);
  submit();
  submit();
  EXPECT_EQ(loop.serve_pending(), 2u);
  EXPECT_TRUE(client_.answered(1));
}

}  // namespace
}  // namespace wvds::channel
