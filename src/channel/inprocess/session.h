#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "channel/client_end.h"
#include "channel/layout.h"
#include "channel/request.h"
#include "channel/spin.h"
#include "channel/waiter.h"
#include "platform/thread.h"

// A session whose both ends live in one program, over one mapping: the slots, the bells and the waiting code are those
// of every transport, only blocking is a condition variable. For tests (ThreadSanitizer sees nothing of a second
// mapping), for fuzzing, and for programs that run the service inside themselves.
namespace wvds::channel {

struct InProcessOptions {
  uint32_t slots = 8;
  uint64_t epoch = 1;
  unsigned processors = 1;                                // with one, nobody spins
  std::chrono::nanoseconds client_slice = kMaxWaitSlice;  // longest single wait of the client
};

class InProcessSession {
 public:
  // start runs a worker for the session. kInvalidArgument for a wrong slot count, kLimitReached without room for a
  // thread.
  static Result<std::unique_ptr<InProcessSession>> start(std::unique_ptr<RequestHandler> handler,
                                                         const InProcessOptions& options);
  ~InProcessSession();  // stops

  // client is valid as long as the session. One thread at a time.
  ClientEnd& client() { return *client_; }

  // region is what both ends share, and wake the client's signal, for a test that plays a hostile client.
  Region region() const { return Region(memory_.get(), options_.slots); }
  void wake();

  // stop ends the worker after the request it works on; the client finds itself disconnected. Any thread.
  void stop();

 private:
  class Gate;
  class WorkerWaiter;
  class CallerWaiter;
  struct PageFree {
    void operator()(std::byte* memory) const;
  };

  explicit InProcessSession(const InProcessOptions& options);
  void work(std::unique_ptr<RequestHandler> handler);

  const InProcessOptions options_;
  std::unique_ptr<std::byte[], PageFree> memory_;
  SpinBudget budget_;
  std::unique_ptr<Gate> gate_;
  std::unique_ptr<WorkerWaiter> waiter_;
  std::unique_ptr<ClientEnd> client_;
  platform::Thread worker_;
};

}  // namespace wvds::channel
