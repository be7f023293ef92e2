#pragma once

#include "est/trust.h"
#include "est_service/surroundings.h"

namespace wvds::est_service {

// TrustKeeper holds the CA's certificates: fetched from the server, followed through the CA's rollover, kept over
// restarts. One thread.
class TrustKeeper {
 public:
  // `surroundings` outlives the keeper.
  TrustKeeper(Surroundings& surroundings, TrustState state) : world_(surroundings), state_(std::move(state)) {}

  const TrustState& state() const { return state_; }

  // ready: the server can be recognised, so certificates can be asked for.
  bool ready() const { return !anchors().empty(); }

  // anchors may vouch for the server and for issued certificates: those that the server told, and those of the
  // configuration, so that a device can be helped whose CA began anew.
  std::vector<est::Certificate> anchors() const;

  // access is that to a server whom they vouch for.
  Access access(int64_t now, const Identity* identity = nullptr) const {
    return {.anchors = anchors(), .identity = identity, .now = now};
  }

  // due is when the CA certificates are to be fetched: once a day, sooner after a failure.
  int64_t due() const;

  // refresh fetches them, with `identity` for servers that want to know who asks. What it finds is saved; a failure is
  // noted in the state and returned.
  est::Outcome<> refresh(const Identity* identity, int64_t now);

  // follow_clock forgets what was planned, and done, while the clock was ahead.
  void follow_clock(int64_t now);

 private:
  est::Outcome<> fetch(const Identity* identity, int64_t now);
  est::Outcome<std::vector<est::Certificate>> ask(const Access& access);
  void note_time(int64_t now);
  est::Outcome<> accept_from_known(const Identity* identity, int64_t now);
  est::Outcome<> accept_by_fingerprint(int64_t now);
  est::Outcome<> accept_from_implicit(int64_t now);
  est::Outcome<> take(est::Outcome<est::CaCertificates> accepted);

  Surroundings& world_;
  TrustState state_;
};

}  // namespace wvds::est_service
