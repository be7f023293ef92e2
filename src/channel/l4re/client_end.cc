#include <l4/sys/ipc.h>

#include <algorithm>
#include <l4/re/env>
#include <l4/re/util/cap_alloc>
#include <utility>

#include "channel/connect.h"
#include "channel/l4re/gates.h"
#include "channel/l4re/shared_region.h"
#include "channel/slot_client.h"
#include "platform/clock.h"
#include "platform/thread.h"

namespace wvds::channel {
namespace {

using L4Re::Util::make_unique_cap;
using L4Re::Util::Unique_cap;
using std::chrono::microseconds;

// The service's end, all its kernel objects with it, is what wakes a waiting client: no need to look now and then.
constexpr Nanoseconds kLongestWait = std::chrono::seconds(60);

// ipc_timeout bounds sending and receiving; 0 microseconds would mean "never" to the kernel's encoding.
l4_timeout_t ipc_timeout(Nanoseconds limit) {
  constexpr microseconds kLeast{1};
  constexpr microseconds kMost = std::chrono::hours(1);
  const auto wanted = std::clamp(std::chrono::duration_cast<microseconds>(limit), kLeast, kMost);
  const l4_timeout_s timeout = l4_timeout_from_us(static_cast<l4_uint32_t>(wanted.count()));
  return l4_timeout(timeout, timeout);
}

// Capabilities are what a session consists of, as the service hands them out.
struct Capabilities {
  Unique_cap<SessionGate> gate;
  Unique_cap<L4::Irq> request_bell;
  Unique_cap<L4::Semaphore> answer_bell;
};

class L4reClientWaiter : public ClientWaiter {
 public:
  L4reClientWaiter(Capabilities capabilities, SharedRegion region)
      : capabilities_(std::move(capabilities)), region_(std::move(region)) {}

  void wait(uint32_t, Nanoseconds limit) override { capabilities_.answer_bell->down(ipc_timeout(limit)); }
  void ring() override { capabilities_.request_bell->trigger(); }
  bool connected() override { return L4Re::Env::env()->task()->cap_valid(capabilities_.gate.get()).label() > 0; }

 private:
  Capabilities capabilities_;
  SharedRegion region_;
};

class L4reClientEnd : public SlotClient {
 public:
  L4reClientEnd(Region region, uint64_t epoch, L4::Cap<SessionGate> gate, std::unique_ptr<ClientWaiter> waiter)
      : SlotClient(region, epoch, platform::available_processors(), std::move(waiter), kLongestWait), gate_(gate) {}

  // One message to the worker, which answers it when it has served the slot. await then finds the answer, or waits on
  // where the message was not answered in time, or finds the service gone.
  Result<UntrustedBytes> call(SlotIndex slot, TimePoint deadline) override {
    WVDS_TRY(publish(slot));
    l4_utcb_t* utcb = l4_utcb();
    l4_utcb_mr_u(utcb)->mr[0] = static_cast<l4_umword_t>(SessionGate::kServe);
    l4_ipc_call(gate_.cap(), utcb, l4_msgtag(kSessionProtocol, 1, 0, 0),
                ipc_timeout(deadline - platform::monotonic_now()));
    return await(slot, deadline);
  }

 private:
  const L4::Cap<SessionGate> gate_;  // the waiter's
};

Result<> answered(long error, const char* what) {
  if (error >= 0) return {};
  return fail(Status::kConnectFailed, std::string("the service does not hand out ") + what);
}

Result<Unique_cap<SessionGate>> open_session(L4::Cap<SessionFactoryGate> factory) {
  auto gate = make_unique_cap<SessionGate>();
  if (!gate.is_valid()) return fail(Status::kLimitReached, "no capability slot left");
  const long opened = factory->open(kLayoutVersion, gate.get());
  const long refused = -opened - SessionFactoryGate::kRefused;
  if (refused > 0 && refused <= static_cast<long>(kLastServiceStatus)) {
    return fail(static_cast<Status>(refused), "the service refuses the session");
  }
  WVDS_TRY(answered(opened, "a session"));
  return gate;
}

Result<Capabilities> take_capabilities(Unique_cap<SessionGate> gate) {
  Capabilities out{std::move(gate), make_unique_cap<L4::Irq>(), make_unique_cap<L4::Semaphore>()};
  if (!out.request_bell.is_valid() || !out.answer_bell.is_valid())
    return fail(Status::kLimitReached, "no capability slot left");
  WVDS_TRY(answered(out.gate->request_bell(out.request_bell.get()), "its doorbell"));
  WVDS_TRY(answered(out.gate->answer_bell(out.answer_bell.get()), "the client's doorbell"));
  return out;
}

Result<SharedRegion> take_region(L4::Cap<SessionGate> gate) {
  auto capability = make_unique_cap<L4Re::Dataspace>();
  if (!capability.is_valid()) return fail(Status::kLimitReached, "no capability slot left");
  WVDS_TRY(answered(gate->region(capability.get()), "the region"));
  return SharedRegion::adopt(std::move(capability));
}

}  // namespace

// The deadline is not needed here: the service's thread that makes sessions never blocks, and where there is no service
// left the kernel says so.
Result<std::unique_ptr<ClientEnd>> connect(const std::string& address, TimePoint) {
  const auto factory = L4Re::Env::env()->get_cap<SessionFactoryGate>(address.c_str());
  if (!factory.is_valid()) {
    return fail(Status::kConnectFailed, "this task was given no capability \"" + address + "\"");
  }
  WVDS_ASSIGN(gate, open_session(factory));
  WVDS_ASSIGN(capabilities, take_capabilities(std::move(gate)));
  WVDS_ASSIGN(region, take_region(capabilities.gate.get()));
  const L4::Cap<SessionGate> gate_cap = capabilities.gate.get();
  const Region mapped = region.region();
  const uint64_t epoch = region.epoch();
  auto waiter = std::make_unique<L4reClientWaiter>(std::move(capabilities), std::move(region));
  return std::make_unique<L4reClientEnd>(mapped, epoch, gate_cap, std::move(waiter));
}

}  // namespace wvds::channel
