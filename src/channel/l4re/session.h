#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <l4/re/util/unique_cap>
#include <l4/sys/cxx/ipc_epiface>
#include <l4/sys/ipc_gate>
#include <l4/sys/irq>
#include <l4/sys/semaphore>
#include <l4/sys/thread>
#include <memory>

#include "channel/l4re/gates.h"
#include "channel/l4re/shared_region.h"
#include "channel/request.h"
#include "channel/spin.h"
#include "channel/waiter.h"
#include "platform/thread.h"

namespace wvds::channel {

// Session is one client's session: its region, its kernel objects and the worker thread that serves it. The gate is
// bound to the worker, so that a simple call is one message to it and back.
class Session {
 public:
  // start makes a session in memory of `quota` and waits until its worker is ready. `ended` is called on the worker's
  // thread, as its last deed.
  static Result<std::unique_ptr<Session>> start(L4::Cap<L4Re::Mem_alloc> quota, uint32_t slots, uint64_t epoch,
                                                std::unique_ptr<RequestHandler> handler, SpinBudget& budget,
                                                std::function<void()> ended);
  ~Session();  // stops, and waits for the worker

  // gate is what the client gets; it must not be used after has_ended().
  L4::Cap<SessionGate> gate() const { return gate_.get(); }

  // stop ends the session after the request it works on. Any thread.
  void stop();
  bool has_ended() const { return ended_.load(); }

 private:
  class Worker;

  Session(SharedRegion region, std::unique_ptr<RequestHandler> handler, SpinBudget& budget,
          std::function<void()> ended);

  Result<> make_objects();
  void work(std::promise<Result<>>& ready);

  SharedRegion region_;
  std::unique_ptr<RequestHandler> handler_;
  SpinBudget& budget_;
  const std::function<void()> on_end_;
  L4Re::Util::Unique_del_cap<SessionGate> gate_;
  L4Re::Util::Unique_del_cap<L4::Irq> request_bell_;   // to the worker, from the client
  L4Re::Util::Unique_del_cap<L4::Irq> deletion_bell_;  // to the worker, from the kernel: a gate has no client any more
  L4Re::Util::Unique_del_cap<L4::Semaphore> answer_bell_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;
  bool client_gone_ = false;  // the worker's
  platform::Thread worker_;
};

}  // namespace wvds::channel
