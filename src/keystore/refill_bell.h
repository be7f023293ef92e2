#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "platform/clock.h"

namespace wvds::keystore {

// RefillBell is how the request paths and the reservation thread talk: requests ring when reserved uses or ids run low,
// the thread answers each time it has tried to reserve more. Thread-safe.
class RefillBell {
 public:
  // ring asks for a reservation at once; note_change for one within the thread's delay (bookkeeping that nobody waits
  // for).
  void ring();
  void note_change();

  // wait_until rings until `enough` is true, as often as others take what a try has brought. False where the last try
  // failed, where no thread serves the bell, or after some seconds: then nothing more will come soon.
  bool wait_until(const std::function<bool()>& enough);

  // The thread's side. wait_for_work blocks until there is something to do and returns false at the end; after a failed
  // try it waits `delay` first. tried ends every try.
  void serve();
  bool wait_for_work(platform::Duration delay);
  void tried(bool succeeded);

  // trying_for is how long the try that is under way has lasted; 0 when none is. Any thread.
  platform::Duration trying_for(platform::TimePoint now) const;
  void stop();

 private:
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable answer_;
  bool served_ = false;
  bool stopped_ = false;
  bool rung_ = false;
  bool changed_ = false;
  bool failing_ = false;
  uint64_t tries_begun_ = 0;
  uint64_t tries_done_ = 0;
  platform::TimePoint try_began_{};
};

}  // namespace wvds::keystore
