#pragma once

#include <atomic>
#include <mutex>
#include <string>

#include "ca/settings.h"

namespace wvds::est_ca {

// RequestLog writes one JSON object a line: {"event": "request", ...} before the answer leaves, {"event": "answered",
// "bytes"} after it, {"event": "tls-failed", "reason"}, {"event": "fault"}. Any thread.
class RequestLog {
 public:
  explicit RequestLog(const std::string& path);
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  void write(Json entry);
  std::uint64_t next_number() { return ++number_; }

 private:
  std::mutex mutex_;
  std::atomic<std::uint64_t> number_ = 0;
  int file_;
};

}  // namespace wvds::est_ca
