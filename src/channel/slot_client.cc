#include "channel/slot_client.h"

#include <algorithm>
#include <utility>

#include "platform/clock.h"

namespace wvds::channel {

SlotClient::SlotClient(Region region, uint64_t epoch, unsigned processors, std::unique_ptr<ClientWaiter> waiter,
                       Nanoseconds slice, std::optional<unsigned> bound_to)
    : region_(region),
      epoch_(epoch),
      slice_(slice),
      waiter_(std::move(waiter)),
      slots_(region),
      sleeper_(region.control().client_sleeping, region.control().client_bell),
      ringer_(region.control().service_sleeping, region.control().service_bell),
      spin_(processors),
      pairing_(region.control().client_processor, bound_to) {}

SlotClient::~SlotClient() { slots_.wipe(); }

Result<SlotIndex> SlotClient::acquire() {
  if (!connected_) return fail(Status::kDisconnected);
  const auto slot = slots_.acquire();
  if (!slot) return fail(Status::kBusy);
  return *slot;
}

Result<> SlotClient::publish(SlotIndex slot) {
  if (!connected_) return fail(Status::kDisconnected);
  if (pairing_.possible()) pairing_.submitting(!slots_.any_in_flight());
  if (!slots_.submit(slot)) return fail(Status::kInvalidArgument);
  return {};
}

Result<> SlotClient::submit(SlotIndex slot) {
  WVDS_TRY(publish(slot));
  if (ringer_.ring_needed()) waiter_->ring();
  return {};
}

Result<UntrustedBytes> SlotClient::await(SlotIndex slot, TimePoint deadline) {
  if (!slots_.answered(slot)) {
    if (!slots_.in_flight(slot)) return fail(Status::kInvalidArgument);
    WVDS_TRY(wait_for_answer(slot, deadline));
  }
  return slots_.answer_area(slot);
}

Result<> SlotClient::wait_for_answer(SlotIndex slot, TimePoint deadline) {
  const Nanoseconds bound = connected_ ? spin_.bound() : Nanoseconds(0);
  const Polled polled = poll_for(bound, deadline, [&] { return slots_.answered(slot); });
  if (polled.found) {
    spin_.found(polled.spent);
    return {};
  }
  spin_.missed();
  const TimePoint start = platform::monotonic_now();
  WVDS_TRY(sleep_until_answered(slot, deadline));
  spin_.answered_after_sleep(polled.spent + (platform::monotonic_now() - start));
  return {};
}

Result<> SlotClient::sleep_until_answered(SlotIndex slot, TimePoint deadline) {
  Result<> sleepable;
  while (sleepable && !slots_.answered(slot)) {
    const uint32_t bell = sleeper_.prepare();
    sleepable = may_sleep(deadline);
    if (sleepable && !slots_.answered(slot)) waiter_->wait(bell, next_wait(deadline));
    sleeper_.awake();
  }
  if (slots_.answered(slot)) return {};
  return sleepable;
}

Result<> SlotClient::may_sleep(TimePoint deadline) {
  connected_ = connected_ && waiter_->connected();
  if (!connected_) return fail(Status::kDisconnected);
  if (platform::monotonic_now() >= deadline) return fail(Status::kTimeout);
  return {};
}

// next_wait is how long the next wait may last; never negative.
Nanoseconds SlotClient::next_wait(TimePoint deadline) const {
  const TimePoint now = platform::monotonic_now();
  if (deadline <= now) return Nanoseconds(0);
  return std::min<Nanoseconds>(deadline - now, slice_);
}

}  // namespace wvds::channel
