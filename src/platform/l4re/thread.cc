#include "platform/thread.h"

#include <l4/sys/ipc.h>
#include <pthread.h>

#include <cstring>
#include <string>
#include <utility>

namespace wvds::platform {
namespace {

void* run(void* argument) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

// create returns 0 or an errno value.
int create(pthread_t* thread, size_t stack_size, std::function<void()>* body) {
  pthread_attr_t attributes;
  if (int error = pthread_attr_init(&attributes); error != 0) return error;
  int error = pthread_attr_setstacksize(&attributes, stack_size);
  if (error == 0) error = pthread_create(thread, &attributes, run, body);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace

class Thread::SystemHandle : public Thread::Handle {
 public:
  void join() override { pthread_join(thread, nullptr); }

  pthread_t thread;
};

Result<Thread> Thread::start(const char*, size_t stack_size, std::function<void()> body) {
  auto owned = std::make_unique<std::function<void()>>(std::move(body));
  auto handle = std::make_unique<SystemHandle>();
  if (int error = create(&handle->thread, stack_size, owned.get()); error != 0) {
    return fail(Status::kLimitReached, std::string("no further thread: ") + std::strerror(error));
  }
  owned.release();  // the new thread owns it
  return Thread(std::move(handle));
}

void sleep_for(std::chrono::nanoseconds duration) {
  using std::chrono::microseconds;
  if (duration <= duration.zero()) return;
  l4_ipc_sleep_us(static_cast<l4_uint64_t>(std::chrono::ceil<microseconds>(duration).count()));
}

// Threads stay on the processor that the integrator started the task on: who looks for news there only keeps the others
// from working.
unsigned available_processors() { return 1; }

std::optional<unsigned> bound_processor() { return std::nullopt; }
bool bind_thread(unsigned) { return false; }
void unbind_thread() {}

}  // namespace wvds::platform
