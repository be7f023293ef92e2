#include "tools/wvds/times.h"

#include <gtest/gtest.h>

namespace wvds::tool {
namespace {

constexpr uint64_t kNow = 1'798'761'600;  // 2027-01-01T00:00:00Z

uint64_t time_of(const std::string& words) { return time_from_words("--not-after", words, kNow).value_or(0); }

TEST(Times, AreReadAsRfc3339HasThemInUtc) {
  EXPECT_EQ(time_of("2027-01-01T00:00:00Z"), kNow);
  EXPECT_EQ(time_of("2027-12-31T23:59:59Z"), 1'830'297'599u);
  EXPECT_EQ(time_of("2028-02-29t12:00:00z"), 1'835'438'400u);
  EXPECT_EQ(time_of("1970-01-01T00:00:01Z"), 1u);
  EXPECT_EQ(time_of("9999-12-31T23:59:59Z"), 253'402'300'799u);
}

TEST(Times, AreReadAsDurationsFromNow) {
  EXPECT_EQ(time_of("45s"), kNow + 45);
  EXPECT_EQ(time_of("30m"), kNow + 1'800);
  EXPECT_EQ(time_of("12h"), kNow + 43'200);
  EXPECT_EQ(time_of("90d"), kNow + 90 * 86'400);
  EXPECT_EQ(time_of("2w"), kNow + 14 * 86'400);
}

TEST(Times, AreNotGuessed) {
  for (const char* words : {"",
                            "d",
                            "90",
                            "0d",
                            "-1d",
                            "+1d",
                            "1.5d",
                            " 1d",
                            "90 d",
                            "1y",
                            "99999999d",
                            "18446744073709551615w",
                            "99999999999999999999d",
                            "2027-01-01",
                            "2027-01-01T00:00:00",
                            "2027-01-01 00:00:00Z",
                            "2027-01-01T00:00:00+00:00",
                            "2027-01-01T00:00:00.5Z",
                            "2027-02-29T00:00:00Z",
                            "2027-13-01T00:00:00Z",
                            "2027-00-01T00:00:00Z",
                            "2027-01-01T24:00:00Z",
                            "2027-01-01T00:60:00Z",
                            "2027-01-01T00:00:60Z",
                            "1969-12-31T23:59:59Z",
                            "1970-01-01T00:00:00Z",
                            "tomorrow",
                            "2027-01-0\xc3\xa4T00:00:00Z"}) {
    const auto time = time_from_words("--not-after", words, kNow);
    ASSERT_FALSE(time.has_value()) << words;
    EXPECT_EQ(time.error().exit, Exit::kUsage);
    EXPECT_NE(time.error().message.find("--not-after"), std::string::npos);
    EXPECT_NE(time.error().message.find("90d"), std::string::npos);
  }
}

}  // namespace
}  // namespace wvds::tool
