#include "channel/inprocess/session.h"

#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "channel/service_loop.h"
#include "channel/slot_client.h"

namespace wvds::channel {

namespace {
constexpr size_t kStackSize = size_t{256} * 1024;
}

// Gate is where both ends block and what both know about the session's end.
class InProcessSession::Gate {
 public:
  explicit Gate(Region region) : region_(region) {}

  void wait_as_service(uint32_t value) {
    std::unique_lock lock(mutex_);
    rung_.wait(lock, [&] { return load(region_.control().service_bell) != value || stopping_; });
  }

  void wait_as_client(uint32_t value, std::chrono::nanoseconds limit) {
    std::unique_lock lock(mutex_);
    rung_.wait_for(lock, limit, [&] { return load(region_.control().client_bell) != value || ended_; });
  }

  // ring: who waits either has not looked at the bell yet or is inside wait.
  void ring() {
    {
      std::lock_guard lock(mutex_);
    }
    rung_.notify_all();
  }

  void stop() { set(stopping_); }
  void end() { set(ended_); }
  bool stopping() const { return stopping_; }
  bool ended() const { return ended_; }

 private:
  void set(std::atomic<bool>& flag) {
    flag = true;
    ring();
  }

  Region region_;
  std::mutex mutex_;
  std::condition_variable rung_;
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> ended_ = false;
};

class InProcessSession::WorkerWaiter : public ServiceWaiter {
 public:
  explicit WorkerWaiter(Gate& gate) : gate_(gate) {}
  void wait(uint32_t bell_value) override { gate_.wait_as_service(bell_value); }
  void ring() override { gate_.ring(); }
  bool stopping() const override { return gate_.stopping(); }
  void stop() override { gate_.stop(); }

 private:
  Gate& gate_;
};

class InProcessSession::CallerWaiter : public ClientWaiter {
 public:
  explicit CallerWaiter(Gate& gate) : gate_(gate) {}
  void wait(uint32_t bell_value, std::chrono::nanoseconds limit) override { gate_.wait_as_client(bell_value, limit); }
  void ring() override { gate_.ring(); }
  bool connected() override { return !gate_.ended(); }

 private:
  Gate& gate_;
};

void InProcessSession::PageFree::operator()(std::byte* memory) const {
  ::operator delete[](memory, std::align_val_t(kPageSize));
}

InProcessSession::InProcessSession(const InProcessOptions& options)
    : options_(options),
      memory_(static_cast<std::byte*>(::operator new[](region_size(options.slots), std::align_val_t(kPageSize)))),
      budget_(options.processors) {
  std::memset(memory_.get(), 0, region_size(options.slots));
  write_header(memory_.get(), options.slots, options.epoch);
  gate_ = std::make_unique<Gate>(region());
  waiter_ = std::make_unique<WorkerWaiter>(*gate_);
  client_ = std::make_unique<SlotClient>(region(), options.epoch, options.processors,
                                         std::make_unique<CallerWaiter>(*gate_), options.client_slice);
}

Result<std::unique_ptr<InProcessSession>> InProcessSession::start(std::unique_ptr<RequestHandler> handler,
                                                                  const InProcessOptions& options) {
  if (!slot_count_is_valid(options.slots)) return fail(Status::kInvalidArgument, "slot count");
  std::unique_ptr<InProcessSession> session(new InProcessSession(options));
  // std::function holds only what can be copied
  auto body = [raw = session.get(), owned = std::make_shared<std::unique_ptr<RequestHandler>>(std::move(handler))] {
    raw->work(std::move(*owned));
  };
  WVDS_ASSIGN(worker, platform::Thread::start("wvds-session", kStackSize, std::move(body)));
  session->worker_ = std::move(worker);
  return session;
}

void InProcessSession::work(std::unique_ptr<RequestHandler> handler) {
  ServiceLoop(region(), *handler, *waiter_, budget_).run();
  handler.reset();
  gate_->end();
}

void InProcessSession::wake() { gate_->ring(); }

void InProcessSession::stop() { gate_->stop(); }

InProcessSession::~InProcessSession() {
  stop();
  worker_.join();
}

}  // namespace wvds::channel
