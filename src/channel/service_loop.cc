#include "channel/service_loop.h"

namespace wvds::channel {

ServiceLoop::ServiceLoop(Region region, RequestHandler& handler, ServiceWaiter& waiter, SpinBudget& budget)
    : budget_(budget),
      handler_(handler),
      waiter_(waiter),
      slot_count_(region.slot_count()),
      slots_(region),
      sleeper_(region.control().service_sleeping, region.control().service_bell),
      ringer_(region.control().client_sleeping, region.control().client_bell),
      pairing_(region.control().client_processor) {}

void ServiceLoop::run() {
  while (!waiter_.stopping()) {
    if (serve_pending() > 0 || spin()) continue;
    handler_.idle();
    sleep();
  }
}

uint32_t ServiceLoop::serve_pending() {
  uint32_t served = 0;
  while (served < slot_count_ && !waiter_.stopping()) {
    const auto slot = slots_.take();
    if (!slot) break;
    serve(*slot);
    ++served;
  }
  return served;
}

void ServiceLoop::serve(SlotIndex slot) {
  last_was_valid_ = handler_.handle(slots_.request(slot)) == Verdict::kValid;
  slots_.complete(slot);
  if (ringer_.ring_needed()) waiter_.ring();
  handler_.answered();
  pairing_.served();
  late_ring_ = true;
  if (!last_was_valid_) return;
  brought_valid_ = true;
  spin_.valid_request();
}

// spin returns true when there is something to look at: a submitted slot or stop.
bool ServiceLoop::spin() {
  if (pairing_.follow()) return false;
  const Nanoseconds bound = last_was_valid_ ? spin_.bound() : Nanoseconds(0);
  if (bound == Nanoseconds(0) || !budget_.try_enter()) return false;
  const Polled polled = poll_for(bound, TimePoint::max(), [this] { return slots_.pending() || waiter_.stopping(); });
  budget_.leave();
  polled.found ? spin_.found() : spin_.missed();
  return polled.found;
}

void ServiceLoop::sleep() {
  if (!brought_valid_) spin_.distrust();
  brought_valid_ = false;
  const uint32_t bell = sleeper_.prepare();
  if (!slots_.pending() && !waiter_.stopping()) {
    waiter_.wait(bell);
    note_wakeup();
  }
  sleeper_.awake();
}

// note_wakeup tells the handler of a wake-up that brought nothing. An honest client rings after a submit, but its ring
// may come so late that the request has been served and the worker sleeps again: so one for each served request is
// excused.
void ServiceLoop::note_wakeup() {
  if (slots_.pending() || waiter_.stopping()) return;
  if (!late_ring_) return handler_.wasted_wakeup();
  late_ring_ = false;
  brought_valid_ = true;
}

}  // namespace wvds::channel
