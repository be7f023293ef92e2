#include "channel/l4re/session.h"

#include <l4/sys/ipc.h>
#include <pthread-l4.h>

#include <l4/re/env>
#include <l4/re/util/cap_alloc>
#include <l4/sys/factory>
#include <optional>
#include <utility>

#include "channel/service_loop.h"

namespace wvds::channel {
namespace {

constexpr size_t kStackSize = 256 * 1024;

// Labels of what is bound to the worker. The kernel puts a sender's rights into the two lowest bits.
enum Label : l4_umword_t { kGate = 0x10, kRequestBell = 0x20, kDeletionBell = 0x30 };
constexpr l4_umword_t kRightsBits = 3;

L4::Cap<L4::Thread> this_thread() { return Pthread::L4::cap(pthread_self()); }

Result<> done(long error, const char* what) {
  if (error >= 0) return {};
  return fail(Status::kLimitReached, std::string("no kernel memory for ") + what);
}

template <class Object>
Result<L4Re::Util::Unique_del_cap<Object>> make_object(const char* what) {
  auto made = L4Re::Util::make_unique_del_cap<Object>();
  if (!made.is_valid()) return fail(Status::kLimitReached, "no capability slot left");
  WVDS_TRY(done(l4_error(L4Re::Env::env()->factory()->create(made.get())), what));
  return made;
}

Result<L4Re::Util::Unique_del_cap<L4::Irq>> make_bell(Label label) {
  WVDS_ASSIGN(bell, make_object<L4::Irq>("a doorbell"));
  WVDS_TRY(done(l4_error(bell->bind_thread(this_thread(), label)), "a doorbell's thread"));
  return bell;
}

}  // namespace

// Worker is where a session's thread blocks: it waits for the client's message, its doorbell, or word from the kernel
// that the client is gone. A client that asked to be served is answered at the next wait: by then its slots are served.
class Session::Worker : public ServiceWaiter, public L4::Epiface_t<Worker, SessionGate> {
 public:
  explicit Worker(Session& session) : session_(session) {}

  void wait(uint32_t) override {
    l4_utcb_t* const utcb = l4_utcb();
    bool returned = false;
    while (!returned && !stopping()) {
      l4_umword_t label = 0;
      l4_msgtag_t tag =
          answer_ ? l4_ipc_reply_and_wait(utcb, *std::exchange(answer_, std::nullopt), &label, L4_IPC_SEND_TIMEOUT_0)
                  : l4_ipc_wait(utcb, &label, L4_IPC_NEVER);
      returned = tag.has_error() || received(tag, label, utcb);
    }
  }

  void ring() override { session_.answer_bell_->up(); }
  bool stopping() const override { return session_.stopping_.load(std::memory_order_relaxed); }
  void stop() override { session_.stop(); }

  // The answers to the client's set-up.
  long op_serve(SessionGate::Rights) { return 0; }
  long op_region(SessionGate::Rights, L4::Ipc::Cap<L4Re::Dataspace>& region) {
    region = L4::Ipc::make_cap(session_.region_.capability(), L4_CAP_FPAGE_RW);
    return 0;
  }
  long op_request_bell(SessionGate::Rights, L4::Ipc::Cap<L4::Irq>& bell) {
    bell = L4::Ipc::make_cap(session_.request_bell_.get(), L4_CAP_FPAGE_R);
    return 0;
  }
  long op_answer_bell(SessionGate::Rights, L4::Ipc::Cap<L4::Semaphore>& bell) {
    bell = L4::Ipc::make_cap(session_.answer_bell_.get(), L4_CAP_FPAGE_RS);
    return 0;
  }

 private:
  // received returns true when there may be something to serve.
  bool received(l4_msgtag_t tag, l4_umword_t label, l4_utcb_t* utcb) {
    switch (label & ~kRightsBits) {
      case kGate: return received_message(tag, label, utcb);
      case kDeletionBell: client_gone(); return true;
      default: return true;
    }
  }

  bool received_message(l4_msgtag_t tag, l4_umword_t label, l4_utcb_t* utcb) {
    const bool serve = tag.label() == kSessionProtocol && tag.words() == 1 &&
                       static_cast<L4::Opcode>(l4_utcb_mr_u(utcb)->mr[0]) == SessionGate::kServe;
    answer_ = serve ? l4_msgtag(0, 0, 0, 0) : dispatch(tag, static_cast<unsigned>(label & kRightsBits), utcb);
    return serve;
  }

  // The kernel says only that some gate of this thread lost its last client; there is one.
  void client_gone() {
    if (L4Re::Env::env()->task()->cap_valid(session_.gate_.get()).label() > 0) return;
    session_.client_gone_ = true;
    session_.stopping_ = true;
  }

  Session& session_;
  std::optional<l4_msgtag_t> answer_;
};

Session::Session(SharedRegion region, std::unique_ptr<RequestHandler> handler, SpinBudget& budget,
                 std::function<void()> ended)
    : region_(std::move(region)), handler_(std::move(handler)), budget_(budget), on_end_(std::move(ended)) {}

Session::~Session() {
  stop();
  worker_.join();
}

Result<std::unique_ptr<Session>> Session::start(L4::Cap<L4Re::Mem_alloc> quota, uint32_t slots, uint64_t epoch,
                                                std::unique_ptr<RequestHandler> handler, SpinBudget& budget,
                                                std::function<void()> ended) {
  WVDS_ASSIGN(region, SharedRegion::create(quota, slots, epoch));
  std::unique_ptr<Session> session(new Session(std::move(region), std::move(handler), budget, std::move(ended)));
  // The worker owns it too: set_value may still be at work in it when the future is ready.
  const auto ready = std::make_shared<std::promise<Result<>>>();
  auto worker =
      platform::Thread::start("wvds-session", kStackSize, [ready, self = session.get()] { self->work(*ready); });
  if (!worker) return std::unexpected(std::move(worker.error()));
  session->worker_ = std::move(*worker);
  WVDS_TRY(ready->get_future().get());
  return session;
}

// The objects belong to the worker's thread. The gate does not count this task's own capability: when the client's is
// gone the kernel deletes the gate and rings.
Result<> Session::make_objects() {
  WVDS_ASSIGN(request_bell, make_bell(kRequestBell));
  WVDS_ASSIGN(deletion_bell, make_bell(kDeletionBell));
  WVDS_ASSIGN(answer_bell, make_object<L4::Semaphore>("a doorbell"));
  WVDS_TRY(done(l4_error(this_thread()->register_del_irq(deletion_bell.get())), "word of a client's end"));
  auto gate = L4Re::Util::make_unique_del_cap<SessionGate>();
  if (!gate.is_valid()) return fail(Status::kLimitReached, "no capability slot left");
  WVDS_TRY(done(l4_error(L4Re::Env::env()->factory()->create_gate(gate.get(), this_thread(), kGate)), "a gate"));
  WVDS_TRY(done(l4_error(gate->dec_refcnt(1)), "a gate's count"));
  request_bell_ = std::move(request_bell);
  deletion_bell_ = std::move(deletion_bell);
  answer_bell_ = std::move(answer_bell);
  gate_ = std::move(gate);
  return {};
}

void Session::stop() {
  stopping_ = true;
  if (request_bell_.is_valid()) request_bell_->trigger();
}

void Session::work(std::promise<Result<>>& ready) {
  Result<> made = make_objects();
  const bool serving = made.has_value();
  ready.set_value(std::move(made));
  if (serving) {
    Worker worker(*this);
    ServiceLoop(region_.region(), *handler_, worker, budget_).run();
  }
  if (client_gone_) region_.wipe();
  handler_.reset();
  ended_ = true;
  on_end_();
}

}  // namespace wvds::channel
