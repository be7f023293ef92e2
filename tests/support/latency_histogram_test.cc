#include "support/latency_histogram.h"

#include <gtest/gtest.h>

#include <memory>

namespace wvds::test {
namespace {

using std::chrono::nanoseconds;

nanoseconds seen_as(int64_t ns) {
  const auto histogram = std::make_unique<LatencyHistogram>();
  histogram->add(nanoseconds(ns));
  return histogram->counts().longest();
}

TEST(LatencyHistogram, TellsEveryLatencyAtMostOneInThirtyTwoTooLong) {
  for (int64_t ns = 0; ns < int64_t{1} << 40; ns = ns < 200 ? ns + 1 : ns * 9 / 8 + 1) {
    EXPECT_GE(seen_as(ns).count(), ns);
    EXPECT_LE(seen_as(ns).count(), ns + ns / 32);
  }
}

TEST(LatencyHistogram, TakesWhatIsTooLongForItAsTheLongest) {
  EXPECT_EQ(seen_as(int64_t{1} << 50), seen_as((int64_t{1} << 40) - 1));
  EXPECT_EQ(seen_as(-5), nanoseconds(0));
}

TEST(LatencyCounts, HaveTheQuantilesOfWhatWasAdded) {
  const auto histogram = std::make_unique<LatencyHistogram>();
  for (int i = 1; i <= 50; ++i) histogram->add(nanoseconds(i));
  EXPECT_EQ(histogram->counts().total(), 50u);
  EXPECT_EQ(histogram->counts().quantile(0.5), nanoseconds(25));
  EXPECT_EQ(histogram->counts().quantile(0.99), nanoseconds(50));
  EXPECT_EQ(LatencyCounts().quantile(0.5), nanoseconds(0));
}

TEST(LatencyCounts, AddUpAndTellWhatCameSince) {
  const auto histogram = std::make_unique<LatencyHistogram>();
  histogram->add(nanoseconds(3));
  const LatencyCounts before = histogram->counts();
  histogram->add(nanoseconds(9));
  LatencyCounts since = histogram->counts();
  since -= before;
  EXPECT_EQ(since.total(), 1u);
  EXPECT_EQ(since.longest(), nanoseconds(9));
  since += before;
  EXPECT_EQ(since.total(), 2u);
}

}  // namespace
}  // namespace wvds::test
