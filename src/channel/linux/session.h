#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "channel/linux/peer.h"
#include "channel/linux/setup.h"
#include "channel/linux/shared_memory.h"
#include "channel/linux/waiters.h"
#include "channel/request.h"
#include "channel/spin.h"
#include "platform/clock.h"
#include "platform/linux/unique_fd.h"
#include "platform/thread.h"

namespace wvds::channel {

// SessionSetting is what all sessions of an endpoint have in common; it outlives them.
struct SessionSetting {
  SessionFactory& factory;
  uint32_t slots;
  uint64_t epoch;
  Waiting waiting;
  SpinBudget budget;
  std::atomic<uint32_t> serving;                  // sessions that have a worker
  std::function<void(uint64_t id)> worker_ended;  // called on the worker's thread, as its last deed
};

// Session is one client's connection from accept() to its end. All of it belongs to the endpoint's thread, except what
// the worker runs.
class Session {
 public:
  Session(uint64_t id, SessionSetting& setting, platform::UniqueFd socket, LinuxPeer peer,
          platform::TimePoint deadline);
  ~Session();  // ends as stopped, and waits for the worker

  uint64_t id() const { return id_; }
  uint32_t uid() const { return peer_.peer.uid; }
  int socket() const { return socket_.get(); }
  int pidfd() const { return peer_.pidfd.get(); }
  bool serving() const { return phase_ == Phase::kServing; }
  platform::TimePoint deadline() const { return deadline_; }  // of the set-up

  // advance takes the next set-up message. An error means that there will be no session; the client has been told if it
  // was to be. It may also have led to serving().
  Result<> advance();

  // client_gone and stop end a session that serves: its worker finishes the request it works on and ends. After
  // client_gone nobody reads the region any more, so it is wiped; after stop the client may still be reading an answer.
  void client_gone() { end(true); }
  void stop() { end(false); }

 private:
  enum class Phase : uint8_t { kHello, kMapping, kServing };

  Result<> offer();
  Result<> start();
  Result<> refuse(SetupMessage answer, Error error);
  void end(bool wipe);
  void work();

  const uint64_t id_;
  SessionSetting& setting_;
  platform::UniqueFd socket_;
  LinuxPeer peer_;
  const platform::TimePoint deadline_;
  Phase phase_ = Phase::kHello;
  SharedMemory memory_;
  std::unique_ptr<RequestHandler> handler_;
  std::unique_ptr<LinuxServiceWaiter> waiter_;
  std::atomic<bool> wipe_ = false;
  platform::Thread worker_;
};

}  // namespace wvds::channel
