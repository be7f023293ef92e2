#pragma once

#include <cstdint>

#include "channel/layout.h"

// Sleeping without losing a wake-up. The order of the steps is what model/handshake.pml proves; with sequentially
// consistent words there is one order of all stores and loads, so that either the sleeper's last look finds the work,
// or the ringer finds the sleeper's flag and rings.
//
//   sleeper: value = bell; sleeping = 1; look for work once more; wait until the bell differs from value; sleeping = 0
//   ringer:  publish work; if sleeping: bell = another value, wake
namespace wvds::channel {

// Sleeper is the side that sleeps. It writes `sleeping` and reads `bell`, which may lie about anything: at worst the
// sleeper wakes for nothing or sleeps on, and only its peer is served by its waking.
class Sleeper {
 public:
  Sleeper(Word& sleeping, const Word& bell) : sleeping_(sleeping), bell_(bell) {}

  // prepare announces the sleep and returns the bell's value to wait on. Look for work after it and before waiting.
  uint32_t prepare() {
    const uint32_t value = load(bell_);
    store(sleeping_, 1);
    return value;
  }

  void awake() { store(sleeping_, 0); }
  const Word& bell() const { return bell_; }

 private:
  Word& sleeping_;
  const Word& bell_;
};

// Ringer is the side that wakes. It keeps the bell's value privately.
class Ringer {
 public:
  Ringer(const Word& sleeping, Word& bell) : sleeping_(sleeping), bell_(bell) {}

  // ring_needed changes the bell and returns true when the peer sleeps: then wake it. Call it after publishing work.
  bool ring_needed() {
    if (load(sleeping_) == 0) return false;
    store(bell_, ++rings_);
    return true;
  }

 private:
  const Word& sleeping_;
  Word& bell_;
  uint32_t rings_ = 0;
};

}  // namespace wvds::channel
