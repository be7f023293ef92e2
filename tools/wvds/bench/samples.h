#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wvds::tool {

// Samples are the times that single requests took, in nanoseconds.
class Samples {
 public:
  void add(uint64_t nanoseconds) {
    values_.push_back(nanoseconds);
    sum_ += nanoseconds;
  }
  size_t count() const { return values_.size(); }
  uint64_t sum() const { return sum_; }

  // quantile is the smallest sample that `share` of all do not exceed; 0 without samples.
  uint64_t quantile(double share) const;

 private:
  std::vector<uint64_t> values_;
  uint64_t sum_ = 0;
};

}  // namespace wvds::tool
