#include "est/text.h"

#include <gtest/gtest.h>

namespace wvds::est {
namespace {

TEST(Decimal, TakesDigitsUpToItsBound) {
  EXPECT_EQ(decimal("0", 10), 0u);
  EXPECT_EQ(decimal("007", 10), 7u);
  EXPECT_EQ(decimal("18446744073709551615", UINT64_MAX), UINT64_MAX);
  EXPECT_FALSE(decimal("18446744073709551616", UINT64_MAX));
  EXPECT_FALSE(decimal("11", 10));
  EXPECT_FALSE(decimal("9", 5));
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1e2", "0x1"}) EXPECT_FALSE(decimal(bad, 1000)) << bad;
}

TEST(Printable, ReplacesWhatTerminalsWouldObey) {
  EXPECT_EQ(printable("a\x1b[31mb\x07\x7f", 100), "a?[31mb??");
  EXPECT_EQ(printable("  one\r\n\t two \n", 100), "one two");
  EXPECT_EQ(printable("zul\xc3\xa4ssig \xe2\x82\xac", 100), "zul?ssig ?");
  EXPECT_EQ(printable(std::string_view("a\0b", 3), 100), "a?b");
}

TEST(Printable, CutsAtItsLimitAndSaysSo) {
  EXPECT_EQ(printable("abcdef", 6), "abcdef");
  EXPECT_EQ(printable("abcdefg", 6), "abcdef...");
}

TEST(FieldReader, ReadsQuotedStringsWithTheirEscapes) {
  FieldReader reader(R"("a \"b\" \\ c" rest)");
  EXPECT_EQ(reader.quoted_string(), R"(a "b" \ c)");
  EXPECT_TRUE(reader.skip_blanks());
  EXPECT_EQ(reader.token(), "rest");
  EXPECT_TRUE(reader.at_end());
}

TEST(FieldReader, StaysWhereItIsBeforeWhatDoesNotFit) {
  for (const char* bad : {"\"open", "\"open\\", "\"a\x01\"", "\"a\r\n\""}) {
    FieldReader reader(bad);
    EXPECT_FALSE(reader.quoted_string()) << bad;
    EXPECT_TRUE(reader.next_is('"'));
  }
  FieldReader reader("=x");
  EXPECT_FALSE(reader.token());
  EXPECT_FALSE(reader.token68());
  EXPECT_FALSE(reader.skip_blanks());
}

TEST(FieldReader, Token68EndsWithItsPadding) {
  FieldReader reader("YWJj/+-._~==,x");
  EXPECT_EQ(reader.token68(), "YWJj/+-._~==");
  EXPECT_TRUE(reader.accept(','));
}

}  // namespace
}  // namespace wvds::est
