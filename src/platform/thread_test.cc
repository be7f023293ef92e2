#include "platform/thread.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/time.h>

#include <atomic>

#include "platform/clock.h"

namespace wvds::platform {
namespace {

TEST(Thread, RunsItsBodyBeforeJoinReturns) {
  std::atomic<int> ran = 0;
  auto thread = Thread::start("test", 256 * 1024, [&] { ran = 1; });
  ASSERT_TRUE(thread.has_value());
  thread->join();
  EXPECT_EQ(ran, 1);
}

TEST(Thread, IsJoinedByItsDestructorAndByAssignment) {
  std::atomic<int> ran = 0;
  {
    auto first = Thread::start("first", 256 * 1024, [&] { ++ran; });
    auto second = Thread::start("second", 256 * 1024, [&] { ++ran; });
    ASSERT_TRUE(first.has_value() && second.has_value());
    Thread held = std::move(*first);
    held = std::move(*second);
    EXPECT_GE(ran, 1);
  }
  EXPECT_EQ(ran, 2);
}

TEST(Thread, HasTheStackThatWasAskedFor) {
  size_t size = 0;
  auto thread = Thread::start("stack", 256 * 1024, [&] {
    pthread_attr_t attributes;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
  });
  ASSERT_TRUE(thread.has_value());
  thread->join();
  EXPECT_GE(size, 256u * 1024);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LE(size, 512u * 1024);
#endif
}

TEST(Thread, BlocksSignalsOfOthersButNotItsOwnFaults) {
  sigset_t mask;
  auto thread = Thread::start("mask", 256 * 1024, [&] { pthread_sigmask(SIG_SETMASK, nullptr, &mask); });
  ASSERT_TRUE(thread.has_value());
  thread->join();
  EXPECT_TRUE(sigismember(&mask, SIGTERM));
  EXPECT_TRUE(sigismember(&mask, SIGHUP));
  EXPECT_FALSE(sigismember(&mask, SIGSEGV));
  sigset_t own;
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_FALSE(sigismember(&own, SIGTERM)) << "the starting thread keeps its mask";
}

TEST(Thread, ReportsWhenTheSystemHasNoRoom) {
  auto thread = Thread::start("huge", size_t{1} << 60, [] {});
  ASSERT_FALSE(thread.has_value());
  EXPECT_EQ(thread.error().status, Status::kLimitReached);
}

TEST(AvailableProcessors, CountsOnlyThoseTheProgramMayUse) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(available_processors(), static_cast<unsigned>(CPU_COUNT(&before)));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++i) {
    if (CPU_ISSET(i, &before)) CPU_SET(i, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_processors(), 1u);
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

TEST(SleepFor, SleepsAtLeastAsLongAsWasAskedForAndNotAtAllForNothing) {
  using std::chrono::milliseconds;
  const TimePoint start = monotonic_now();
  sleep_for(milliseconds(20));
  EXPECT_GE(monotonic_now() - start, milliseconds(20));
  sleep_for(milliseconds(0));
  sleep_for(std::chrono::hours(-1));
}

TEST(SleepFor, IsNotEndedByASignal) {
  using std::chrono::milliseconds;
  static std::atomic<bool> caught;
  caught = false;
  struct sigaction action{}, before{};
  action.sa_handler = [](int) { caught = true; };
  ASSERT_EQ(sigaction(SIGALRM, &action, &before), 0);
  const itimerval soon{{0, 0}, {0, 5000}};
  const TimePoint start = monotonic_now();
  ASSERT_EQ(setitimer(ITIMER_REAL, &soon, nullptr), 0);
  while (!caught) sleep_for(milliseconds(50));
  EXPECT_GE(monotonic_now() - start, milliseconds(50));
  ASSERT_EQ(sigaction(SIGALRM, &before, nullptr), 0);
}

TEST(MonotonicNow, NeverGoesBackwards) {
  TimePoint last = monotonic_now();
  for (int i = 0; i < 100000; ++i) {
    const TimePoint now = monotonic_now();
    ASSERT_GE(now, last);
    last = now;
  }
}

}  // namespace
}  // namespace wvds::platform
