#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

// What the channel hands to the service, on every operating system.
namespace wvds::channel {

// Request is one submitted slot. `area` is the whole request area, hostile; `answer` is the slot's answer area, which
// the client can read (and overwrite) while it is being filled. The two never overlap. Valid during
// RequestHandler::handle only.
struct Request {
  UntrustedBytes area;
  MutableBytes answer;
};

// Verdict tells the channel how the client behaved, for its waiting: a session whose wake-ups bring nothing valid is no
// longer spun for.
enum class Verdict : uint8_t { kValid, kInvalid };

// RequestHandler serves one session. The channel makes one call at a time, always on the session's own worker thread;
// the destructor runs there too, after the last call (or on the channel's own thread when the session never came to a
// worker). It must not throw.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;

  // handle answers a request: a complete frame, which holds its own length, stands in `answer` on return.
  virtual Verdict handle(const Request& request) = 0;

  // answered is called after each handle, as soon as the client can see the answer: it need not wait for what is done
  // here, and the first line of the answer is not fetched back from it in the middle of being written.
  virtual void answered() = 0;

  // idle is called when the client has sent nothing more for a while and the worker is about to sleep: the time for
  // what would disturb a busy session.
  virtual void idle() {}

  // wasted_wakeup is called when the client woke the worker and had submitted nothing: charge the client for it.
  virtual void wasted_wakeup() = 0;
};

// Peer is who the operating system says is at the other end.
struct Peer {
  uint32_t uid = 0;  // Linux: SO_PEERCRED at connect
  uint32_t gid = 0;
  int32_t pid = 0;
  std::string label;  // L4Re: the name of the factory capability that made the session
};

// SessionFactory is the service as the channel sees it. open() runs on the channel's own thread and must not block; its
// error's status is what the client is told (kDenied, kLimitReached, kNotReady). A session's place in the service's
// limits is free again when its handler is destroyed.
class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  virtual Result<std::unique_ptr<RequestHandler>> open(const Peer& peer) = 0;
};

// Endpoint accepts sessions and runs one worker thread for each.
class Endpoint {
 public:
  virtual ~Endpoint() = default;  // ends all sessions and waits for their workers

  // run serves until stop(); it returns early only with an error that makes serving impossible.
  virtual Result<> run() = 0;

  // stop makes run() end all sessions and return. It may be called from any thread, and from a signal handler on Linux.
  // Requests that were taken are finished and their answers can still be read; no new ones are taken.
  virtual void stop() = 0;

  // session_count counts the sessions that have a worker. Any thread.
  virtual uint32_t session_count() const = 0;
};

}  // namespace wvds::channel
