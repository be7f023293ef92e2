#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "base/result.h"

namespace wvds::platform {

// Thread is a running thread with a stack of a chosen size: the default of most systems (2 to 8 MB) is too much for a
// program that has a thread for each session and locks its memory.
class Thread {
 public:
  // start runs `body` on a new thread that receives no signals (so that they reach the threads that wait for them).
  // `body` must not throw. `name` shows in debuggers; at most 15 characters are kept. `stack_size` in bytes is a
  // minimum; builds with a sanitizer get more. kLimitReached when the system has no room for another thread.
  static Result<Thread> start(const char* name, size_t stack_size, std::function<void()> body);

  Thread();
  Thread(Thread&& other) noexcept;
  Thread& operator=(Thread&& other) noexcept;  // joins the thread it held
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  ~Thread();  // joins

  // join waits for the end of `body`. Nothing happens without a thread or the second time. Never call it from `body`.
  void join();

 private:
  // Handle is the system's own thread; join is called once.
  struct Handle {
    virtual ~Handle() = default;
    virtual void join() = 0;
  };
  class SystemHandle;
  explicit Thread(std::unique_ptr<Handle> handle);
  std::unique_ptr<Handle> handle_;
};

// sleep_for blocks the calling thread for `duration` or a little longer; a signal does not end it. Not for waiting for
// another thread: only for time itself.
void sleep_for(std::chrono::nanoseconds duration);

// available_processors counts the processors that this program may run on; at least 1.
unsigned available_processors();

// bound_processor is the only processor that the calling thread may run on; nothing where there are several, or where
// the platform does not tell.
std::optional<unsigned> bound_processor();

// bind_thread binds the calling thread to one processor of those that it may run on, until unbind_thread. False, and
// nothing changes, for any other number and where the platform does not let threads move.
bool bind_thread(unsigned processor);

// unbind_thread lets the calling thread run again where it might before bind_thread. Does not fail.
void unbind_thread();

}  // namespace wvds::platform
