#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "platform/thread.h"

namespace wvds::service {

// replace_metrics_file writes `text` beside `path` and renames it there, so that a reader sees the old figures or the
// new ones, never a part. Mode 0644. Nothing is synced: after a loss of power the figures before it are of no use, and
// rename keeps a reader from seeing half a file as long as the system runs.
Result<> replace_metrics_file(const std::string& path, const std::string& text);

// MetricsFile keeps a file of figures up to date, from a thread of its own: a disk that hangs holds up nobody else.
class MetricsFile {
 public:
  // start writes the first file at once, then one each interval. `make_text` is called on the thread.
  static Result<std::unique_ptr<MetricsFile>> start(std::string path, std::chrono::seconds interval,
                                                    std::function<std::string()> make_text);

  // The destructor waits for a write that is under way and removes the file: a service that has ended has no figures.
  ~MetricsFile();
  MetricsFile(const MetricsFile&) = delete;
  MetricsFile& operator=(const MetricsFile&) = delete;

  // set_interval holds at once. Any thread.
  void set_interval(std::chrono::seconds interval);

 private:
  MetricsFile(std::string path, std::chrono::seconds interval, std::function<std::string()> make_text)
      : path_(std::move(path)), make_text_(std::move(make_text)), interval_(interval) {}
  void run();
  void write();

  const std::string path_;
  const std::function<std::string()> make_text_;
  bool failing_ = false;  // the thread's own
  std::mutex mutex_;
  std::condition_variable changed_;
  std::chrono::seconds interval_;
  bool stopping_ = false;
  platform::Thread thread_;
};

}  // namespace wvds::service
