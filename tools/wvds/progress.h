#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace wvds::tool {

// Progress shows on standard error how far a long work is: on a terminal only, and only when it takes longer than a
// second. Its line is gone when the object is.
class Progress {
 public:
  // `total` is in bytes, where it is known.
  Progress(std::optional<uint64_t> total, bool is_wanted);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { clear(); }

  void add(uint64_t bytes);

  // clear takes the line away, before something else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  const std::optional<uint64_t> total_;
  const bool is_wanted_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point next_;
  uint64_t done_ = 0;
  bool is_shown_ = false;
};

// progress_text is the line: "45 %, 460.0 MB of 1.0 GB, 512.3 MB/s".
std::string progress_text(uint64_t done, std::optional<uint64_t> total, double seconds);

// amount_text is a number of bytes with three digits or four: "999 bytes", "61.4 kB", "1.5 GB" (powers of 1,000).
std::string amount_text(double bytes);

}  // namespace wvds::tool
