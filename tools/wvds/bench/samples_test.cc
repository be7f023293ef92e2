#include "tools/wvds/bench/samples.h"

#include <gtest/gtest.h>

namespace wvds::tool {

TEST(Samples, GiveTheSmallestValueThatTheShareStaysWithin) {
  Samples samples;
  for (uint64_t value = 100; value >= 1; --value) samples.add(value);
  EXPECT_EQ(samples.quantile(0.5), 50u);
  EXPECT_EQ(samples.quantile(0.99), 99u);
  EXPECT_EQ(samples.quantile(1), 100u);
  EXPECT_EQ(samples.quantile(0), 1u);
  EXPECT_EQ(samples.sum(), 5050u);
}

TEST(Samples, GiveTheOnlyValueForEachShareAndNothingWithoutOne) {
  Samples samples;
  EXPECT_EQ(samples.quantile(0.5), 0u);
  samples.add(7);
  EXPECT_EQ(samples.quantile(0.01), 7u);
  EXPECT_EQ(samples.quantile(0.99), 7u);
}

}  // namespace wvds::tool
