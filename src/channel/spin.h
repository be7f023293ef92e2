#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "platform/clock.h"

// How long each side looks for news before it sleeps. Waking a sleeper costs 5 to 50 microseconds, more than most
// requests; looking costs a processor. So every look is bounded, and its bound follows what paid off lately.
namespace wvds::channel {

using Nanoseconds = std::chrono::nanoseconds;

// relax tells the processor that this is a polling loop.
inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" : : : "memory");  // `yield` does nothing on processors with one thread a core
#endif
}

// Polled is how a look ended. `spent` is 0 when the news came before the clock was looked at (the first microsecond or
// so).
struct Polled {
  bool found = false;
  Nanoseconds spent{0};
};

inline constexpr int kEagerPolls = 48;    // without relax(): a hand-over between two processors takes fewer
inline constexpr int kPollsPerClock = 8;  // a look at the clock costs about as much as a poll with relax()

// poll_for calls `ready` until it returns true, `bound` is over or the deadline has come; once at least.
template <class Ready>
Polled poll_for(Nanoseconds bound, platform::TimePoint deadline, Ready ready) {
  if (bound <= Nanoseconds(0)) return Polled{ready(), Nanoseconds(0)};
  for (int i = 0; i < kEagerPolls; ++i) {
    if (ready()) return Polled{true, Nanoseconds(0)};
  }
  const platform::TimePoint start = platform::monotonic_now();
  Nanoseconds spent{0};
  do {
    for (int i = 0; i < kPollsPerClock; ++i) {
      relax();
      if (ready()) return Polled{true, spent};
    }
    const platform::TimePoint now = platform::monotonic_now();
    spent = now - start;
    if (now >= deadline) break;
  } while (spent < bound);
  return Polled{false, spent};
}

// SpinBudget is how many workers of one service may spin at the same time: one processor is left for the clients, so on
// a machine with one processor nobody spins. Private to the service; any thread.
class SpinBudget {
 public:
  explicit SpinBudget(unsigned processors) : limit_(processors > 0 ? processors - 1 : 0) {}

  bool try_enter() {
    if (spinning_.fetch_add(1, std::memory_order_relaxed) < limit_) return true;
    leave();
    return false;
  }
  void leave() { spinning_.fetch_sub(1, std::memory_order_relaxed); }
  unsigned spinning() const { return spinning_.load(std::memory_order_relaxed); }

 private:
  const unsigned limit_;
  std::atomic<unsigned> spinning_ = 0;
};

// ServiceSpin decides how long a worker looks for its session's next request. A session that comes back at once is
// worth kLong; one that does not gets kShort, and now and then another chance. A session whose wake-ups bring nothing
// valid gets nothing until it has sent kProbation valid requests.
class ServiceSpin {
 public:
  static constexpr Nanoseconds kShort{5'000};
  static constexpr Nanoseconds kLong{50'000};
  static constexpr uint32_t kProbation = 64;

  Nanoseconds bound();
  void found();
  void missed();
  void valid_request();
  void distrust() { probation_ = kProbation; }

 private:
  static constexpr uint32_t kMaxCredit = 8;
  static constexpr uint32_t kMissCost = 2;
  static constexpr uint32_t kProbeEvery = 32;

  uint32_t credit_ = kMaxCredit;
  uint32_t short_looks_ = 0;
  uint32_t probation_ = 0;
};

// ClientSpin decides how long a client looks for an answer: a little longer than recent answers took, as long as that
// is under kMost; above it sleeping costs little in comparison. Two long looks in vain in a row, and it looks only
// kBriefly for the next kPatience answers: the processor is wanted elsewhere, perhaps by the worker that is to answer.
class ClientSpin {
 public:
  static constexpr Nanoseconds kBriefly{5'000};
  static constexpr Nanoseconds kLeast{50'000};
  static constexpr Nanoseconds kMost{2'000'000};

  explicit ClientSpin(unsigned processors) : may_spin_(processors > 1) {}

  Nanoseconds bound();
  void found(Nanoseconds duration);
  void missed();
  void answered_after_sleep(Nanoseconds duration) { remember(duration); }

 private:
  void remember(Nanoseconds duration);

  static constexpr uint32_t kMissesToBackOff = 2;
  static constexpr uint32_t kPatience = 16;

  bool may_spin_;
  bool long_look_ = false;
  std::array<Nanoseconds, 8> recent_{};
  uint32_t next_ = 0;
  uint32_t misses_ = 0;
  uint32_t patience_ = 0;
};

}  // namespace wvds::channel
