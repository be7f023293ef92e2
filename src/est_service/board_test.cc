#include "est_service/board.h"

#include <gtest/gtest.h>

#include <thread>

namespace wvds::est_service {
namespace {

platform::TimePoint soon() { return platform::monotonic_now() + std::chrono::seconds(60); }

Snapshot with_attempts(uint64_t attempts) {
  Snapshot snapshot;
  snapshot.attempts = attempts;
  return snapshot;
}

TEST(Board, CountsOnlyWhatChanges) {
  Board board;
  board.publish(with_attempts(1));
  const uint64_t generation = board.snapshot()->generation;
  board.publish(with_attempts(1));
  EXPECT_EQ(board.snapshot()->generation, generation);
  board.publish(with_attempts(2));
  EXPECT_EQ(board.snapshot()->generation, generation + 1);
}

TEST(Board, WakesWhoWaitsForAChange) {
  Board board;
  std::shared_ptr<const Snapshot> seen;
  std::thread waiting([&] { seen = board.wait_for_change(0, soon()); });
  board.publish(with_attempts(1));
  waiting.join();
  EXPECT_EQ(seen->attempts, 1u);
}

TEST(Board, WakesEverybodyWhenItStops) {
  Board board;
  std::thread waiting([&] { board.wait_for_change(board.snapshot()->generation, soon()); });
  std::thread sleeping([&] { EXPECT_FALSE(board.sleep(soon())); });
  board.stop();
  waiting.join();
  sleeping.join();
}

TEST(Board, TakesAWishOnceAndWakesWhoShallFulfilIt) {
  Board board;
  bool woken = false;
  std::thread sleeping([&] { woken = board.sleep(soon()); });
  board.wish({"device", true});
  board.wish({"device", true});
  sleeping.join();
  EXPECT_TRUE(woken);
  EXPECT_EQ(board.take_wishes(), (std::set<Wish>{{"device", true}}));
  EXPECT_TRUE(board.take_wishes().empty());
}

TEST(Phase, HasAName) {
  EXPECT_STREQ(phase_name(Phase::kMissing), "missing");
  EXPECT_STREQ(phase_name(Phase::kExpired), "expired");
}

}  // namespace
}  // namespace wvds::est_service
