#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "channel/linux/futex.h"
#include "support/latency_histogram.h"

namespace wvds::test {

inline constexpr size_t kSoakClients = 8;

// SoakOp is what latencies are counted for.
enum class SoakOp : uint8_t {
  kConnect,
  kAesEncrypt,
  kAesDecrypt,
  kStreamEncrypt,
  kStreamDecrypt,
  kMlDsaSign,
  kMlDsaVerify,
  kMlKemKeygen,
  kMlKemEncaps,
  kMlKemDecaps,
  kRandom,
  kKeyCreate,
  kKeyDelete,
  kStoredKeyCreate,
  kStoredKeyDelete,
};
inline constexpr size_t kSoakOps = 15;
inline constexpr std::array<const char*, kSoakOps> kSoakOpNames{
    "connect",      "AES encrypt",   "AES decrypt",   "stream encrypt",     "stream decrypt",
    "ML-DSA sign",  "ML-DSA verify", "ML-KEM keygen", "ML-KEM encapsulate", "ML-KEM decapsulate",
    "random bytes", "key create",    "key delete",    "stored key create",  "stored key delete",
};

// ClientBoard is what a client tells.
struct ClientBoard {
  std::array<LatencyHistogram, kSoakOps> latencies;
  std::atomic<uint64_t> checked{0};  // answers that were compared with what they must be
  std::atomic<uint64_t> wrong{0};
  std::atomic<uint64_t> lost{0};     // connections, through the end of a service
  std::atomic<uint32_t> at_rest{0};  // the last rest that it has its session closed for
  std::array<char, 400> first_wrong{};
};

// SoakBoard is memory that the test shares with its clients. Waiters sleep on `bell`, which changes with each word here
// that the test writes.
struct SoakBoard {
  channel::Word bell = 0;
  std::atomic<uint32_t> outages{0};   // counted before a service is ended
  std::atomic<uint32_t> services{0};  // outages after which the next service was ready; at first 0
  std::atomic<uint32_t> rests{0};     // that were asked for: all close their sessions
  std::atomic<uint32_t> rests_over{0};
  std::atomic<bool> over{false};
  std::array<ClientBoard, kSoakClients> clients;

  // ring follows what the test wrote; wait_until sleeps until `condition` holds.
  void ring() {
    channel::store(bell, channel::load(bell) + 1);
    channel::shared_wake(bell);
  }
  template <class Condition>
  void wait_until(Condition condition) const {
    for (;;) {
      const channel::Word seen = channel::load(bell);
      if (condition()) return;
      channel::shared_wait(bell, seen, std::chrono::seconds(1));
    }
  }
};

}  // namespace wvds::test
