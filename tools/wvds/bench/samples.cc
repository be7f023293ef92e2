#include "tools/wvds/bench/samples.h"

#include <algorithm>
#include <cmath>

namespace wvds::tool {

uint64_t Samples::quantile(double share) const {
  if (values_.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values_.size())));
  const size_t index = std::clamp<size_t>(rank, 1, values_.size()) - 1;
  std::vector<uint64_t> values = values_;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(index), values.end());
  return values[index];
}

}  // namespace wvds::tool
