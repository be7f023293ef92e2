#pragma once

#include <cstddef>
#include <vector>

namespace wvds::bench {

// Samples are the latencies of single calls, in nanoseconds.
class Samples {
 public:
  void add(double nanoseconds) { values_.push_back(nanoseconds); }
  void add(const Samples& more) { values_.insert(values_.end(), more.values_.begin(), more.values_.end()); }
  size_t size() const { return values_.size(); }

  // quantile gives the value that `share` (0 to 1) of the samples do not exceed; 0 without samples.
  double quantile(double share) const;

 private:
  std::vector<double> values_;
};

}  // namespace wvds::bench
