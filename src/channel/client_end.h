#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "base/result.h"
#include "platform/clock.h"

// The client's side of a session, on every operating system. Not thread-safe: one thread at a time.
namespace wvds::channel {

using SlotIndex = uint32_t;

// Deadlines are absolute, on platform::monotonic_now()'s clock.
using platform::TimePoint;

class ClientEnd {
 public:
  virtual ~ClientEnd() = default;

  virtual uint32_t slot_count() const = 0;
  virtual uint64_t epoch() const = 0;  // differs after every start of the service

  // acquire reserves a free slot. kBusy when every slot is acquired, in flight or abandoned and unfinished;
  // kDisconnected when await found that before.
  virtual Result<SlotIndex> acquire() = 0;

  // request_area is the slot's kRequestAreaSize bytes (layout.h), for the caller to fill in place between acquire and
  // submit; empty at any other time.
  virtual MutableBytes request_area(SlotIndex slot) = 0;

  // submit hands an acquired slot to the service and wakes it when it sleeps. Never blocks. kInvalidArgument for a slot
  // that is not acquired, kDisconnected when await found that before.
  virtual Result<> submit(SlotIndex slot) = 0;

  // await blocks until the slot is answered: the answer area (kAnswerAreaSize bytes, hostile until decoded) stays valid
  // until release(slot). kTimeout at the deadline: the slot stays submitted, await it again or abandon it.
  // kDisconnected within 100 ms when the service is gone; then nothing but release works any more. kInvalidArgument for
  // a slot that is not submitted.
  virtual Result<UntrustedBytes> await(SlotIndex slot, TimePoint deadline) = 0;

  // call is submit and await in one, for a caller that has nothing to do meanwhile; it fails as they do. On L4Re it is
  // one message to the service and back.
  virtual Result<UntrustedBytes> call(SlotIndex slot, TimePoint deadline) {
    WVDS_TRY(submit(slot));
    return await(slot, deadline);
  }

  // answered tells without blocking whether await would return at once.
  virtual bool answered(SlotIndex slot) = 0;

  // release frees an acquired or answered slot; on one in flight it abandons: the slot becomes free when the service
  // has finished it and the late answer is dropped.
  virtual void release(SlotIndex slot) = 0;
};

}  // namespace wvds::channel
