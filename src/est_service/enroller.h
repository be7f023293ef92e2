#pragma once

#include "est/check.h"
#include "est/csr.h"
#include "est_service/board.h"
#include "est_service/timing.h"
#include "est_service/trust_keeper.h"

namespace wvds::est_service {

class Enroller;

// Siblings finds another certificate of the configuration by its name; null when there is none.
using Siblings = std::function<Enroller*(const std::string& name)>;

// Enroller gets and renews one certificate of the configuration. Nothing is lost by a failure: the certificate that is
// there stays in use, and it tries again. One thread.
class Enroller {
 public:
  // `surroundings`, `config` and `trust` outlive the enroller.
  Enroller(Surroundings& surroundings, const config::EstCertificate& config, TrustKeeper& trust, Siblings siblings,
           CertificateState state);

  // due is when step() has something to do, in Unix seconds.
  int64_t due() const;

  // follow_clock forgets what was planned while the clock was ahead.
  void follow_clock(int64_t now);

  // has_work says whether step() has something to do as soon as next_attempt is not waited for.
  bool has_work(int64_t now) const;

  // step does what is due: enrols, renews, asks again after a 202, or uses a new certificate for the first time. `now`
  // is Unix seconds. With `renew` also a certificate that is not due yet. A failure is noted in the state and returned.
  est::Outcome<> step(int64_t now, bool renew = false);

  // identity opens the certificate that is in use, and its key; kKeyService when crypto_service does not hand the key
  // out, kExpired outside its dates, kNotUsable where there is none or its key can't sign.
  est::Outcome<Identity> identity(int64_t now) const;

  const CertificateState& state() const { return state_; }
  const std::string& name() const { return config_.name; }
  CertificateStatus status(int64_t now) const;

  // follow_hint takes the server's hint where it has one, and tells whether it has. Failures are logged only.
  bool follow_hint(int64_t now);

 private:
  // Shown is one way to authenticate; with each the password is used too where the server asks for it.
  struct Shown {
    std::string what;  // for the log
    std::optional<Identity> identity{};
    bool renews = false;  // by the certificate that is to be renewed: /simplereenroll
  };

  bool wants_another(int64_t now) const;
  est::Outcome<> attempt(int64_t now);
  bool keeps_breaking(est::FailureKind kind) const;
  bool could_not_be_stored() const;
  est::Outcome<uint32_t> key_to_certify();
  est::Outcome<uint32_t> new_key();
  std::optional<uint32_t> forgotten_key();
  std::vector<Shown> ways_to_authenticate(int64_t now, std::string& why_not);
  est::Outcome<EnrollAnswer> ask_as(const Shown& shown, uint32_t key_id, int64_t now);
  est::Outcome<est::CsrSpec> request_spec(const Shown& shown, const Access& access) const;
  est::Outcome<std::vector<std::byte>> make_request(est::CsrSpec spec, const Shown& shown, uint32_t key_id,
                                                    Bytes binding);
  est::Outcome<> take(EnrollAnswer answer, uint32_t key_id, int64_t now);
  est::Outcome<> take_later(const Later& later, int64_t now);
  est::Outcome<> take_certificates(Bytes der, uint32_t key_id, int64_t now);
  est::Outcome<est::Chain> check(const std::vector<est::Certificate>& received, const EVP_PKEY* key, int64_t now) const;
  est::Outcome<> install(Installed next, int64_t now);
  est::Outcome<> use_for_the_first_time(int64_t now);
  est::Outcome<> roll_back(est::Failure cause, int64_t now);
  void take_hint(const Hint& hint);
  est::Outcome<> save();
  est::Outcome<crypto::KeyHandle> certified_key(uint32_t key_id) const;
  std::string asked_for() const;
  bool changed() const;
  void remove_key_unless_used(uint32_t key_id);
  int64_t next_renewal() const;
  est::Pressure time_left(int64_t now) const;

  Surroundings& world_;
  const config::EstCertificate& config_;
  TrustKeeper& trust_;
  const Siblings siblings_;
  CertificateState state_;
  est::CsrSpec spec_;                      // of the last request, as the server's CSR attributes wanted it
  std::vector<std::byte> sent_;            // and its bytes
  std::optional<int64_t> told_to_wait_s_;  // with the last failure; nothing where the usual delay is right
};

}  // namespace wvds::est_service
