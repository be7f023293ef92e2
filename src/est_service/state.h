#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "crypto/library.h"
#include "est/certificate.h"
#include "est/failure.h"

// What est_service must know after a restart, and its form on disk: docs/est.md, "Files". All times are Unix seconds.
namespace wvds::est_service {

// Installed is a certificate that was checked, with its chain, the leaf first, and its key in crypto_service.
struct Installed {
  uint32_t key_id = 0;
  std::vector<est::Certificate> chain;  // never empty

  const est::Certificate& leaf() const { return chain.front(); }
};

// Pending is an enrolment that has begun.
struct Pending {
  uint32_t key_id = 0;
  std::vector<std::byte> request{};  // that the server took to answer later: it must come again as it was
  bool waiting = false;              // the server said when to come back
};

struct LastFailure {
  std::string name;  // est::failure_name
  std::string detail;
  std::string advice;
  int64_t at = 0;

  static LastFailure of(const est::Failure& failure, int64_t at);
  bool operator==(const LastFailure&) const = default;
};

// Attempts is how it went with something that is tried again until it works.
struct Attempts {
  int64_t next_attempt = 0;  // not before, after a failure or a 202
  uint32_t failures = 0;     // since the last success
  std::optional<LastFailure> last_failure;

  void succeeded() {
    failures = 0;
    last_failure.reset();
  }
};

// Hint is when the server wants the certificate to be renewed.
struct Hint {
  int64_t begin = 0;
  int64_t end = 0;
  std::string explanation;

  bool operator==(const Hint&) const = default;
};

// CertificateState is one certificate of the configuration.
struct CertificateState : Attempts {
  std::string asked_for;  // subject and names that the configuration had when `current` was enrolled
  std::optional<Installed> current;
  std::optional<Installed> previous;  // the one before
  bool current_used = false;          // the server has accepted the current one
  std::optional<Pending> pending;
  std::optional<Hint> hint;
  int64_t renew_at = 0;  // 0: no certificate yet
};

// TrustState is what the server's CA is known by.
struct TrustState : Attempts {
  std::vector<est::Certificate> anchors;        // roots that were accepted
  std::vector<est::Certificate> intermediates;  // the CA's other certificates
  int64_t fetched_at = 0;
  int64_t last_seen = 0;  // the latest time of the clock that the server's certificate confirmed
};

// pem_of writes certificates one behind the other.
std::string pem_of(const std::vector<est::Certificate>& list);

// The texts are JSON. Reading fails with kStorage and a sentence for what is damaged, of another version, or not
// whole: each certificate is parsed again.
std::string to_text(const CertificateState& state);
std::string to_text(const TrustState& state);
est::Outcome<CertificateState> certificate_state_from(const crypto::Library& library, std::string_view text);
est::Outcome<TrustState> trust_state_from(const crypto::Library& library, std::string_view text);

}  // namespace wvds::est_service
