#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "wvds_crypto.h"

namespace wvds::ossl_provider {

// Sessions are the open sessions with the service at one address. Thread-safe: each is used by one thread at a time.
class Sessions {
 public:
  explicit Sessions(std::string address);  // empty: the client library's default
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;
  ~Sessions();  // none may be in use

  using Work = std::function<Result<>(wvds_session*)>;

  // with runs `work` with a session, and once more after it had to connect anew (the service was restarted) or the rate
  // limit held it up: work that was done twice must do no harm. The error is that of connecting, with a sentence, or
  // that of `work`.
  Result<> with(const Work& work);

  // place names the service in messages.
  std::string place() const;

 private:
  struct Lease;

  Result<wvds_session*> take();
  Result<wvds_session*> connect();
  void give_back(wvds_session* session);
  void drop(wvds_session* session);
  static Result<> attempt(wvds_session* session, const Work& work);

  const std::string address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<wvds_session*> idle_;  // has room for all
  unsigned open_ = 0;                // idle ones, those in use, and those being opened
};

// ProcessNumber tells processes apart; the same number always where there is but one.
using ProcessNumber = uint64_t (*)();
inline uint64_t only_process() { return 0; }

// SessionPools has the sessions of all addresses. A process that was forked gets new ones: what it inherited belongs to
// its parent, and is neither used nor closed. Thread-safe.
class SessionPools {
 public:
  explicit SessionPools(ProcessNumber process_number);
  SessionPools(const SessionPools&) = delete;
  SessionPools& operator=(const SessionPools&) = delete;
  ~SessionPools();

  // of returns the sessions with the service at `address`; they live as long as this object.
  Sessions& of(const std::string& address);

 private:
  struct Generation;
  Generation& current();

  const ProcessNumber process_number_;
  std::atomic<Generation*> current_;
};

}  // namespace wvds::ossl_provider
