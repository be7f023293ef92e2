#pragma once

#include <array>
#include <atomic>

#include "channel/linux/testing/child_process.h"
#include "support/daemon.h"
#include "support/latency_histogram.h"
#include "support/shared_object.h"

namespace wvds::test {

// BusyBystander is another client of a service under attack, in a process of its own. All the time until its end it
// encrypts, decrypts, signs and verifies, compares the answers with what they must be, and notes how long they took.
class BusyBystander {
 public:
  enum Call : uint8_t { kEncrypt, kSign };  // whose latencies are noted

  // Make it before this process has threads.
  explicit BusyBystander(const Daemon& daemon);

  // serves waits until so many more rounds went as they must; false when one did not, or the watchdog bit.
  bool serves(uint64_t rounds);

  // finish ends it; true when every round went as it must.
  bool finish();

  LatencyCounts latencies(Call call) const { return shared_->latencies[call].counts(); }

 private:
  struct Shared {
    std::atomic<uint64_t> rounds{0};
    std::atomic<bool> over{false};
    std::atomic<bool> failed{false};
    std::array<LatencyHistogram, 2> latencies;
  };
  static void work(Shared& shared, const Daemon& daemon);

  SharedObject<Shared> shared_;
  channel::testing::ChildProcess process_;
};

}  // namespace wvds::test
