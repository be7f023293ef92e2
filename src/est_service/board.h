#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/algorithm.h"
#include "est_service/state.h"
#include "platform/clock.h"

// Where the thread that enrols and the threads that serve clients meet.
namespace wvds::est_service {

// Phase is how a certificate is.
enum class Phase : uint8_t {
  kMissing = 0,  // none yet; est_service is trying
  kWaiting = 1,  // none yet; the server will answer later
  kValid = 2,
  kDue = 3,      // valid, and its renewal has begun or failed so far
  kExpired = 4,  // est_service is trying
};
const char* phase_name(Phase phase);

// CertificateStatus is what clients may know of a certificate. Times are Unix seconds, 0 where there is none.
struct CertificateStatus {
  std::string name;
  Algorithm key_type = Algorithm::kNone;
  Phase phase = Phase::kMissing;
  uint32_t key_id = 0;           // in crypto_service; 0 without a certificate
  uint32_t previous_key_id = 0;  // of the certificate before, while it may still be in use
  std::string subject;
  std::string fingerprint;  // SHA-256
  std::string chain_pem;    // the leaf first
  std::string previous_chain_pem;
  int64_t not_before = 0;
  int64_t not_after = 0;
  int64_t renew_at = 0;
  int64_t next_attempt = 0;
  uint32_t failures = 0;
  std::optional<LastFailure> last_failure;

  bool operator==(const CertificateStatus&) const = default;
};

// Snapshot is the whole state at one instant.
struct Snapshot {
  uint64_t generation = 0;  // grows with each change
  uint64_t attempts = 0;    // that were finished, whatever their outcome
  std::vector<CertificateStatus> certificates;
  std::string ca_pem;  // accepted roots, then the CA's other certificates
  int64_t ca_fetched_at = 0;
  std::optional<LastFailure> ca_failure;

  bool operator==(const Snapshot&) const = default;
};

// Wish is what a client asks est_service to do now.
struct Wish {
  std::string certificate;  // empty: fetch the CA certificates
  bool renew = false;       // also where the certificate is not due

  auto operator<=>(const Wish&) const = default;
};

// Board is safe for all threads.
class Board {
 public:
  std::shared_ptr<const Snapshot> snapshot() const;

  // publish puts `next` up with a new generation when it differs from what is there, and wakes those who wait.
  void publish(Snapshot next);

  // wait_for_change returns the snapshot as soon as its generation is another than `known`, and the one that is there
  // when the deadline has passed or stop() was called.
  std::shared_ptr<const Snapshot> wait_for_change(uint64_t known, platform::TimePoint deadline) const;

  // wish notes what shall be done and wakes the thread that does it. The same wish twice is one.
  void wish(Wish wish);

  // take_wishes returns what was wished for since the last call. sleep blocks until there are wishes, `until`, or
  // stop(), and returns false after stop().
  std::set<Wish> take_wishes();
  bool sleep(platform::TimePoint until) const;

  void stop();
  bool stopped() const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<Snapshot>();
  std::set<Wish> wishes_;
  bool stopped_ = false;
};

}  // namespace wvds::est_service
