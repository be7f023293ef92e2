#include "platform/thread.h"

#include <utility>

namespace wvds::platform {

Thread::Thread() = default;
Thread::Thread(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
Thread::Thread(Thread&& other) noexcept = default;

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this != &other) {
    join();
    handle_ = std::move(other.handle_);
  }
  return *this;
}

Thread::~Thread() { join(); }

void Thread::join() {
  if (const auto handle = std::exchange(handle_, nullptr)) handle->join();
}

}  // namespace wvds::platform
