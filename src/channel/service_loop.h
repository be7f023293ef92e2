#pragma once

#include "channel/bell.h"
#include "channel/pairing.h"
#include "channel/request.h"
#include "channel/slots.h"
#include "channel/spin.h"
#include "channel/waiter.h"

namespace wvds::channel {

// ServiceLoop serves one session's slots: the worker's code on every transport. Everything it is given outlives it; one
// thread.
class ServiceLoop {
 public:
  ServiceLoop(Region region, RequestHandler& handler, ServiceWaiter& waiter, SpinBudget& budget);

  // run serves until the waiter is stopped. A request that was taken is finished; no further one is taken.
  void run();

  // serve_pending serves what is submitted, at most as many requests as there are slots, and returns how many that
  // were. For a transport whose worker blocks elsewhere (in the receive call of a kernel's message) and calls this when
  // it is told to.
  uint32_t serve_pending();

 private:
  void serve(SlotIndex slot);
  bool spin();
  void sleep();
  void note_wakeup();

  SpinBudget& budget_;
  RequestHandler& handler_;
  ServiceWaiter& waiter_;
  const uint32_t slot_count_;
  ServiceSlots slots_;
  Sleeper sleeper_;
  Ringer ringer_;
  ServiceSpin spin_;
  ServicePairing pairing_;
  bool brought_valid_ = true;   // since the last wake-up
  bool last_was_valid_ = true;  // the last request
  bool late_ring_ = false;      // a ring for a request that was already served may still come
};

}  // namespace wvds::channel
