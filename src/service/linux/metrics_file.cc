#include "service/linux/metrics_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

#include "base/log.h"
#include "platform/clock.h"
#include "platform/linux/unique_fd.h"
#include "platform/linux/whole_io.h"

namespace wvds::service {
namespace {

constexpr size_t kFileThreadStack = 256 << 10;
constexpr mode_t kForEverybodyToRead = 0644;

std::unexpected<Error> failed(const char* what) {
  return fail(Status::kStorageError, std::string(what) + ": " + std::strerror(errno));
}

Result<> write_new(const std::string& path, const std::string& text) {
  unlink(path.c_str());  // of a service that was killed in the middle
  platform::UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return failed("open");
  if (!platform::write_whole(file.get(), as_bytes(text))) return failed("write");
  if (fchmod(file.get(), kForEverybodyToRead) != 0) return failed("chmod");
  return {};
}

}  // namespace

Result<> replace_metrics_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".tmp";
  Result<> written = write_new(beside, text);
  if (written && rename(beside.c_str(), path.c_str()) != 0) written = failed("rename");
  if (!written) unlink(beside.c_str());
  return written;
}

Result<std::unique_ptr<MetricsFile>> MetricsFile::start(std::string path, std::chrono::seconds interval,
                                                        std::function<std::string()> make_text) {
  std::unique_ptr<MetricsFile> file(new MetricsFile(std::move(path), interval, std::move(make_text)));
  WVDS_ASSIGN(thread, platform::Thread::start("metrics file", kFileThreadStack, [self = file.get()] { self->run(); }));
  file->thread_ = std::move(thread);
  return file;
}

MetricsFile::~MetricsFile() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
  unlink(path_.c_str());
}

void MetricsFile::set_interval(std::chrono::seconds interval) {
  {
    const std::lock_guard lock(mutex_);
    interval_ = interval;
  }
  changed_.notify_one();
}

void MetricsFile::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const platform::TimePoint written = platform::monotonic_now();
    write();
    lock.lock();
    while (!stopping_ && platform::monotonic_now() < written + interval_) {
      changed_.wait_until(lock, written + interval_);
    }
  }
}

// One line when it begins to fail, one when it works again: not one each interval.
void MetricsFile::write() try {
  const Result<> written = replace_metrics_file(path_, make_text_());
  if (written.has_value() == !failing_) return;
  failing_ = !written;
  if (failing_) {
    log_warning("metrics file can't be written", {{"file", path_}, {"cause", written.error().detail}});
  } else {
    log_info("metrics file is written again", {{"file", path_}});
  }
} catch (const std::exception&) {  // no memory: the next one may find some
}

}  // namespace wvds::service
