#include "platform/thread.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <utility>

namespace wvds::platform {
namespace {

// Sanitized code needs several times the stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr size_t kStackFactor = 8;
#else
constexpr size_t kStackFactor = 1;
#endif

// before_binding is where a bound thread might run before.
thread_local std::optional<cpu_set_t> before_binding;

struct Start {
  std::function<void()> body;
  char name[16];
};

void* run(void* argument) {
  std::unique_ptr<Start> start(static_cast<Start*>(argument));
  pthread_setname_np(pthread_self(), start->name);
  start->body();
  return nullptr;
}

// foreign_signals are those that other code sends. What the thread's own instructions raise must stay deliverable: the
// kernel kills the program without a word when such a signal is blocked.
sigset_t foreign_signals() {
  sigset_t set;
  sigfillset(&set);
  for (int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) sigdelset(&set, own);
  return set;
}

// create makes a thread that inherits a mask with foreign signals blocked; returns 0 or an errno value.
int create(pthread_t* thread, size_t stack_size, Start* start) {
  pthread_attr_t attributes;
  if (int error = pthread_attr_init(&attributes); error != 0) return error;
  int error = pthread_attr_setstacksize(&attributes, stack_size * kStackFactor);
  const sigset_t blocked = foreign_signals();
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  if (error == 0) error = pthread_create(thread, &attributes, run, start);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace

class Thread::SystemHandle : public Thread::Handle {
 public:
  void join() override { pthread_join(thread, nullptr); }

  pthread_t thread;
};

Result<Thread> Thread::start(const char* name, size_t stack_size, std::function<void()> body) {
  auto start = std::make_unique<Start>();
  start->body = std::move(body);
  std::snprintf(start->name, sizeof start->name, "%s", name);
  auto handle = std::make_unique<SystemHandle>();
  if (int error = create(&handle->thread, stack_size, start.get()); error != 0) {
    return fail(Status::kLimitReached, std::string("no further thread: ") + std::strerror(error));
  }
  (void)start.release();  // the new thread owns it
  return Thread(std::move(handle));
}

void sleep_for(std::chrono::nanoseconds duration) {
  if (duration <= duration.zero()) return;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
  timespec left{static_cast<time_t>(seconds.count()), static_cast<long>((duration - seconds).count())};
  while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR) {
  }
}

unsigned available_processors() {
  cpu_set_t set;
  // the call fails on a machine with more processors than the set has bits; there the count of all of them does
  const long count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<unsigned>(count) : 1;
}

std::optional<unsigned> bound_processor() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) != 1) return std::nullopt;
  unsigned processor = 0;
  while (!CPU_ISSET(processor, &set)) ++processor;
  return processor;
}

bool bind_thread(unsigned processor) {
  cpu_set_t allowed;
  if (processor >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
  if (before_binding) allowed = *before_binding;
  if (!CPU_ISSET(processor, &allowed)) return false;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) return false;
  before_binding = allowed;
  return true;
}

void unbind_thread() {
  if (!before_binding) return;
  sched_setaffinity(0, sizeof *before_binding, &*before_binding);
  before_binding.reset();
}

}  // namespace wvds::platform
