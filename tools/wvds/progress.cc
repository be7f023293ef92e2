#include "tools/wvds/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace wvds::tool {
namespace {

constexpr auto kPatience = std::chrono::seconds(1);
constexpr auto kInterval = std::chrono::milliseconds(200);
constexpr const char* kClearLine = "\r\033[K";

}  // namespace

Progress::Progress(std::optional<uint64_t> total, bool is_wanted)
    : total_(total), is_wanted_(is_wanted), next_(start_ + kPatience) {}

void Progress::add(uint64_t bytes) {
  done_ += bytes;
  if (!is_wanted_) return;
  const auto now = Clock::now();
  if (now < next_) return;
  next_ = now + kInterval;
  is_shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "%swvds: %s", kClearLine, progress_text(done_, total_, seconds).c_str());
}

void Progress::clear() {
  if (!is_shown_) return;
  is_shown_ = false;
  std::fputs(kClearLine, stderr);
}

std::string progress_text(uint64_t done, std::optional<uint64_t> total, double seconds) {
  std::string text;
  if (total && *total != 0) {
    const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total));
    text = std::to_string(static_cast<int>(part * 100)) + " %, " + amount_text(static_cast<double>(done)) + " of " +
           amount_text(static_cast<double>(*total));
  } else {
    text = amount_text(static_cast<double>(done));
  }
  if (seconds > 0) text += ", " + amount_text(static_cast<double>(done) / seconds) + "/s";
  return text;
}

std::string amount_text(double bytes) {
  constexpr std::array kUnits{"kB", "MB", "GB", "TB", "PB"};
  if (bytes < 999.5) return std::to_string(std::lround(bytes)) + " bytes";
  size_t unit = 0;
  for (bytes /= 1000; bytes >= 999.95 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", bytes, kUnits[unit]);
  return text.data();
}

}  // namespace wvds::tool
