#include "channel/pairing.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <functional>
#include <thread>

#include "platform/thread.h"

namespace wvds::channel {
namespace {

TEST(ClientPairing, AsksForTheWorkerAfterAStreakOfSingleCalls) {
  Word wish = 0;
  ClientPairing pairing(wish, 3);
  for (uint32_t i = 1; i < ClientPairing::kStreak; ++i) pairing.submitting(true);
  EXPECT_EQ(wish, 0u);
  pairing.submitting(true);
  EXPECT_EQ(wish, 4u);
}

TEST(ClientPairing, SendsTheWorkerAwayWithTheSecondRequestInFlight) {
  Word wish = 0;
  ClientPairing pairing(wish, 3);
  for (uint32_t i = 0; i < ClientPairing::kStreak; ++i) pairing.submitting(true);
  pairing.submitting(false);
  EXPECT_EQ(wish, 0u);
  pairing.submitting(true);
  EXPECT_EQ(wish, 0u) << "the streak begins anew";
}

TEST(ClientPairing, AsksForNothingWhereTheClientMayMove) {
  Word wish = 0;
  ClientPairing pairing(wish, std::nullopt);
  for (uint32_t i = 0; i < 2 * ClientPairing::kStreak; ++i) pairing.submitting(true);
  EXPECT_EQ(wish, 0u);
}

// Each test of the worker's side runs on a thread of its own, which may run anywhere at first.
class ServicePairingTest : public ::testing::Test {
 protected:
  void on_a_thread(const std::function<void()>& body) { std::thread(body).join(); }
  void serve_enough() {
    for (uint32_t i = 0; i < ServicePairing::kPatience; ++i) pairing_.served();
  }
  static unsigned some_processor() { return static_cast<unsigned>(sched_getcpu()); }

  Word wish_ = 0;
  ServicePairing pairing_{wish_};
};

TEST_F(ServicePairingTest, FollowsTheClientAndLeavesAgain) {
  if (platform::available_processors() < 2) GTEST_SKIP() << "NOT RUN: this program may use one processor only";
  on_a_thread([this] {
    const unsigned before = platform::available_processors();
    const unsigned place = some_processor();
    wish_ = place + 1;
    serve_enough();
    EXPECT_TRUE(pairing_.follow());
    EXPECT_EQ(platform::bound_processor(), place);
    wish_ = 0;
    serve_enough();
    EXPECT_FALSE(pairing_.follow());
    EXPECT_EQ(platform::available_processors(), before);
  });
}

TEST_F(ServicePairingTest, MovesOnceInAWhileOnly) {
  on_a_thread([this] {
    wish_ = some_processor() + 1;
    EXPECT_FALSE(pairing_.follow());
    for (uint32_t i = 1; i < ServicePairing::kPatience; ++i) pairing_.served();
    EXPECT_FALSE(pairing_.follow());
    pairing_.served();
    EXPECT_TRUE(pairing_.follow());
    wish_ = 0;
    EXPECT_TRUE(pairing_.follow()) << "it has just moved";
  });
}

TEST_F(ServicePairingTest, StaysWhereItIsForAWishThatIsNoProcessor) {
  on_a_thread([this] {
    const unsigned before = platform::available_processors();
    for (const Word wish : {Word{CPU_SETSIZE}, Word{CPU_SETSIZE + 1}, Word{0x80000000}, Word{0xFFFFFFFF}}) {
      wish_ = wish;
      serve_enough();
      EXPECT_FALSE(pairing_.follow()) << wish;
      EXPECT_EQ(platform::available_processors(), before);
    }
  });
}

TEST_F(ServicePairingTest, NeverGoesWhereTheServiceMayNotRun) {
  if (platform::available_processors() < 2) GTEST_SKIP() << "NOT RUN: this program may use one processor only";
  on_a_thread([this] {
    const unsigned own = some_processor();
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    unsigned foreign = 0;
    while (foreign == own || !CPU_ISSET(foreign, &allowed)) ++foreign;
    ASSERT_TRUE(platform::bind_thread(own));
    std::thread worker([&] {  // inherits the only processor
      wish_ = foreign + 1;
      serve_enough();
      EXPECT_FALSE(pairing_.follow());
      EXPECT_EQ(platform::bound_processor(), own);
    });
    worker.join();
  });
}

}  // namespace
}  // namespace wvds::channel
