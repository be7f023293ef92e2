#pragma once

#include <memory>

#include "channel/layout.h"
#include "channel/linux/shared_memory.h"
#include "channel/waiter.h"
#include "platform/linux/unique_fd.h"

namespace wvds::channel {

// Waiting is how a worker blocks. The client's bell alone won't do: a hostile client can move a futex waiter to a word
// of its own, from where nobody can wake it. So each way has a second, private thing to wait for.
enum class Waiting : uint8_t {
  kFutex,    // the bell and a private stop word, by futex_waitv
  kEventfd,  // where the kernel has no futex_waitv: an eventfd that the client gets, and a private one
};

// best_waiting is kFutex where the kernel has it.
Waiting best_waiting();

class LinuxServiceWaiter : public ServiceWaiter {
 public:
  // doorbell is the eventfd that the client needs to ring; -1 when it rings by the bell alone. Owned by the waiter.
  virtual int doorbell() const = 0;
};

// make_service_waiter: `region` outlives the waiter. kLimitReached when the system has no descriptor left.
Result<std::unique_ptr<LinuxServiceWaiter>> make_service_waiter(Waiting waiting, Region region);

// LinuxClientWaiter owns the client's half of a session: mapping, socket and, with Waiting::kEventfd, the doorbell.
class LinuxClientWaiter : public ClientWaiter {
 public:
  LinuxClientWaiter(SharedMemory memory, uint32_t slot_count, platform::UniqueFd socket, platform::UniqueFd doorbell);

  void wait(uint32_t bell_value, std::chrono::nanoseconds limit) override;
  void ring() override;
  bool connected() override;

 private:
  SharedMemory memory_;
  Region region_;
  platform::UniqueFd socket_;
  platform::UniqueFd doorbell_;
};

}  // namespace wvds::channel
