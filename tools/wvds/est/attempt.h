#pragma once

#include "wvds_crypto.h"

// What came of an attempt to enrol or renew, read from est_service's state before and after.
namespace wvds::tool {

enum class Ended {
  kNotYet,
  kInstalled,  // a new certificate is in use
  kFailed,     // the state has the failure, also where a new certificate was installed before it
  kLater,      // the server took the request and answers later
};

// Seen is a certificate as it was, and how many attempts had been finished then, those for other certificates included.
struct Seen {
  uint64_t attempts = 0;
  wvds_est_certificate_state certificate{};
};

Ended how_it_ended(const Seen& before, const Seen& now);

// Fetches of the CA certificates are told apart by when they were; est_service's times are whole seconds, so one that
// was finished in the second of `asked_at` (since 1970) or just before counts too.
Ended how_fetch_ended(const wvds_est_state& before, const wvds_est_state& now, uint64_t asked_at);

}  // namespace wvds::tool
