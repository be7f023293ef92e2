#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "platform/linux/unique_fd.h"
#include "platform/thread.h"

namespace wvds::service {

// Reloader runs `reload` whenever it was asked to, on a thread of its own: reading a file and asking for users may take
// long, and nobody waits for it. Requests that come while one is under way are done together.
class Reloader {
 public:
  // `reload` must not throw.
  static Result<std::unique_ptr<Reloader>> start(std::function<void()> reload);
  ~Reloader();  // waits for a reload that is under way, and begins no other
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;

  // request may be called from a signal handler.
  void request();

 private:
  explicit Reloader(std::function<void()> reload) : reload_(std::move(reload)) {}
  void run();

  const std::function<void()> reload_;
  platform::UniqueFd bell_;
  std::atomic<bool> stopping_{false};
  platform::Thread thread_;
};

}  // namespace wvds::service
