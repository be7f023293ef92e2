#include "service/linux/reloader.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace wvds::service {
namespace {

constexpr size_t kReloadThreadStack = 256 << 10;

}  // namespace

Result<std::unique_ptr<Reloader>> Reloader::start(std::function<void()> reload) {
  std::unique_ptr<Reloader> reloader(new Reloader(std::move(reload)));
  reloader->bell_.reset(eventfd(0, EFD_CLOEXEC));
  if (!reloader->bell_) return fail(Status::kInternalError, std::string("no eventfd: ") + std::strerror(errno));
  WVDS_ASSIGN(thread, platform::Thread::start("reload", kReloadThreadStack, [self = reloader.get()] { self->run(); }));
  reloader->thread_ = std::move(thread);
  return reloader;
}

Reloader::~Reloader() {
  stopping_ = true;
  request();
  thread_.join();
}

void Reloader::request() {
  const int before = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(bell_.get(), &one, sizeof one);
  errno = before;
}

// Reading takes all requests since the last time at once.
void Reloader::run() {
  for (;;) {
    uint64_t requests = 0;
    const ssize_t length = read(bell_.get(), &requests, sizeof requests);
    if (stopping_) return;
    if (length == static_cast<ssize_t>(sizeof requests)) reload_();
  }
}

}  // namespace wvds::service
