#include "tools/wvds/progress.h"

#include <gtest/gtest.h>

namespace wvds::tool {
namespace {

TEST(AmountText, HasUnitsOfAThousand) {
  EXPECT_EQ(amount_text(0), "0 bytes");
  EXPECT_EQ(amount_text(999), "999 bytes");
  EXPECT_EQ(amount_text(999.6), "1.0 kB");
  EXPECT_EQ(amount_text(61440), "61.4 kB");
  EXPECT_EQ(amount_text(999'949), "999.9 kB");
  EXPECT_EQ(amount_text(999'990), "1.0 MB");
  EXPECT_EQ(amount_text(1.5e9), "1.5 GB");
  EXPECT_EQ(amount_text(2.5e18), "2500.0 PB");
}

TEST(ProgressText, TellsPartAmountAndRate) {
  EXPECT_EQ(progress_text(460'000'000, 1'000'000'000, 2), "46 %, 460.0 MB of 1.0 GB, 230.0 MB/s");
  EXPECT_EQ(progress_text(1'000, 1'000, 1), "100 %, 1.0 kB of 1.0 kB, 1.0 kB/s");
}

TEST(ProgressText, DoesNotClaimMoreThanEverything) {
  EXPECT_EQ(progress_text(3'000, 1'000, 1), "100 %, 3.0 kB of 1.0 kB, 3.0 kB/s") << "the file grew meanwhile";
}

TEST(ProgressText, GoesWithoutWhatIsNotKnown) {
  EXPECT_EQ(progress_text(5'000'000, std::nullopt, 2), "5.0 MB, 2.5 MB/s");
  EXPECT_EQ(progress_text(5'000'000, 0, 2), "5.0 MB, 2.5 MB/s");
  EXPECT_EQ(progress_text(5'000'000, std::nullopt, 0), "5.0 MB");
}

}  // namespace
}  // namespace wvds::tool
