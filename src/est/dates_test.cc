#include "est/dates.h"

#include <gtest/gtest.h>

namespace wvds::est {
namespace {

constexpr int64_t kNow = 1795000000;     // November 2026
constexpr int64_t kExample = 784111777;  // RFC 9110, section 5.6.7: 6 November 1994, 08:49:37

TEST(HttpDate, ReadsTheThreeFormsOfRfc9110) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow), kExample);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow), kExample);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994", kNow), kExample);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994", kNow), kExample + 10 * 86400);
}

// "more than 50 years in the future": the last year with these digits
TEST(HttpDate, TakesTwoDigitsOfTheYearForTheNearerCentury) {
  EXPECT_EQ(parse_http_date("Monday, 23-Nov-26 10:00:00 GMT", kNow), 1795428000);
  EXPECT_EQ(parse_http_date("Monday, 23-Nov-76 10:00:00 GMT", kNow), 3373351200);
  EXPECT_EQ(parse_http_date("Monday, 23-Nov-77 10:00:00 GMT", kNow), 249127200);
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const char* bad :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 6 Nov 1994 08:49:37 GMT",
        "Son, 06 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 06 Nov -994 08:49:37 GMT", "120",
        "1994-11-06T08:49:37Z"}) {
    EXPECT_FALSE(parse_http_date(bad, kNow)) << bad;
  }
}

TEST(Rfc3339, ReadsOffsetsFractionsAndLeapSeconds) {
  EXPECT_EQ(parse_rfc3339("1994-11-06T08:49:37Z"), kExample);
  EXPECT_EQ(parse_rfc3339("1994-11-06t08:49:37.123456789012345678901z"), kExample);
  EXPECT_EQ(parse_rfc3339("1994-11-06T09:49:37+01:00"), kExample);
  EXPECT_EQ(parse_rfc3339("1994-11-06T03:19:37-05:30"), kExample);
  EXPECT_EQ(parse_rfc3339("2016-12-31T23:59:60Z"), 1483228799);
  EXPECT_EQ(parse_rfc3339("2000-02-29T00:00:00Z"), 951782400);
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), -62135596800);
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const char* bad :
       {"", "1994-11-06", "1994-11-06 08:49:37Z", "1994-11-06T08:49:37", "1994-11-06T08:49Z", "1994-13-06T08:49:37Z",
        "1994-02-29T08:49:37Z", "1994-11-06T08:49:37+24:00", "1994-11-06T08:49:37+0100", "1994-11-06T08:49:37.Z",
        "1994-11-06T08:49:37Zx", "94-11-06T08:49:37Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

}  // namespace
}  // namespace wvds::est
