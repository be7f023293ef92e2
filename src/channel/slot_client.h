#pragma once

#include <memory>

#include "channel/bell.h"
#include "channel/client_end.h"
#include "channel/pairing.h"
#include "channel/slots.h"
#include "channel/spin.h"
#include "channel/waiter.h"

namespace wvds::channel {

// SlotClient is the client's end of a session: the code that all transports share. `waiter` owns whatever holds the
// mapping that `region` sees. The destructor wipes all slots that were used.
class SlotClient : public ClientEnd {
 public:
  // `slice` is the longest single wait; more than kMaxWaitSlice only where the service's end wakes the client.
  // `bound_to` is the only processor that the client may run on, where that is so.
  SlotClient(Region region, uint64_t epoch, unsigned processors, std::unique_ptr<ClientWaiter> waiter,
             Nanoseconds slice = kMaxWaitSlice, std::optional<unsigned> bound_to = std::nullopt);
  ~SlotClient() override;

  uint32_t slot_count() const override { return region_.slot_count(); }
  uint64_t epoch() const override { return epoch_; }
  Result<SlotIndex> acquire() override;
  MutableBytes request_area(SlotIndex slot) override { return slots_.request_area(slot); }
  Result<> submit(SlotIndex slot) override;
  Result<UntrustedBytes> await(SlotIndex slot, TimePoint deadline) override;
  bool answered(SlotIndex slot) override { return slots_.answered(slot); }
  void release(SlotIndex slot) override { slots_.release(slot); }

 protected:
  // publish is submit without waking the service, for a transport that does so in another way.
  Result<> publish(SlotIndex slot);

 private:
  Result<> wait_for_answer(SlotIndex slot, TimePoint deadline);
  Result<> sleep_until_answered(SlotIndex slot, TimePoint deadline);
  Result<> may_sleep(TimePoint deadline);
  Nanoseconds next_wait(TimePoint deadline) const;

  Region region_;
  const uint64_t epoch_;
  const Nanoseconds slice_;
  std::unique_ptr<ClientWaiter> waiter_;
  ClientSlots slots_;
  Sleeper sleeper_;
  Ringer ringer_;
  ClientSpin spin_;
  ClientPairing pairing_;
  bool connected_ = true;
};

}  // namespace wvds::channel
