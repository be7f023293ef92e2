#pragma once

#include <chrono>
#include <cstdint>

#include "channel/client_end.h"

// What a transport gives the waiting code: a way to block and a way to wake. Everything else (spinning, the order of
// steps, the slots) is shared by all transports.
namespace wvds::channel {

// ServiceWaiter blocks one session's worker. wait and ring are the worker's; stop may be called from any thread.
class ServiceWaiter {
 public:
  virtual ~ServiceWaiter() = default;

  // wait blocks until the client rings (its bell no longer has this value, or the client's signal came) or stop() was
  // called. It may return early. Nothing that the client does to the shared memory or to kernel objects it shares keeps
  // wait from seeing stop().
  virtual void wait(uint32_t bell_value) = 0;

  // ring wakes the client. Never blocks.
  virtual void ring() = 0;

  // stopping is a look at private memory, cheap enough for a polling loop.
  virtual bool stopping() const = 0;
  virtual void stop() = 0;
};

// ClientWaiter blocks a client. One thread at a time.
class ClientWaiter {
 public:
  virtual ~ClientWaiter() = default;

  // wait blocks until the service rings (the bell no longer has this value) or `limit` has passed. It may return early.
  virtual void wait(uint32_t bell_value, std::chrono::nanoseconds limit) = 0;

  // ring wakes the service. Never blocks.
  virtual void ring() = 0;

  // connected looks whether the service is still there. It may cost a system call.
  virtual bool connected() = 0;
};

// kMaxWaitSlice bounds one wait of a client, so that it looks at connected() often enough to report a dead service
// within 100 ms.
inline constexpr std::chrono::milliseconds kMaxWaitSlice{50};

}  // namespace wvds::channel
