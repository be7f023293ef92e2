#pragma once

#include "est_service/surroundings.h"
#include "est_service/trust_keeper.h"

namespace wvds::est_service {

// CredentialKeeper renews the certificate that the configuration names for the first enrolment, for its own key, so
// that the device can still enrol anew in years. Only where this CA issued it: a maker's certificate is the maker's to
// renew; and only where the file can be replaced. One thread.
class CredentialKeeper {
 public:
  // Both outlive the keeper.
  CredentialKeeper(Surroundings& surroundings, const TrustKeeper& trust) : world_(surroundings), trust_(trust) {}

  int64_t due() const { return looks_.next_attempt; }

  // follow_clock forgets what was planned while the clock was ahead.
  void follow_clock(int64_t now);

  // step looks at the certificate and renews it when it is time. Whatever fails is logged and tried again later; the
  // file stays as it was.
  void step(int64_t now);

 private:
  est::Outcome<int64_t> look(int64_t now);
  est::Outcome<> renew(const Identity& identity, int64_t now);

  Surroundings& world_;
  const TrustKeeper& trust_;
  Attempts looks_;
};

}  // namespace wvds::est_service
