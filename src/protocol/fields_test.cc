#include "protocol/fields.h"

#include <gtest/gtest.h>

namespace wvds::protocol {
namespace {

TEST(IsText, TakesPlainAndAccentedText) {
  EXPECT_TRUE(is_text(""));
  EXPECT_TRUE(is_text("uplink key 7 ~"));
  EXPECT_TRUE(is_text("Schl\xc3\xbcssel"));              // U+00FC
  EXPECT_TRUE(is_text("\xc2\xa0"));                      // U+00A0, the first after the control characters
  EXPECT_TRUE(is_text("\xe0\xa0\x80"));                  // U+0800, the first of three bytes
  EXPECT_TRUE(is_text("\xed\x9f\xbf\xee\x80\x80"));      // either side of the surrogates
  EXPECT_TRUE(is_text("\xef\xbf\xbf\xf0\x90\x80\x80"));  // U+FFFF, U+10000
  EXPECT_TRUE(is_text("\xf4\x8f\xbf\xbf"));              // U+10FFFF
}

TEST(IsText, RejectsControlCharacters) {
  for (char c = 0; c < 0x20; ++c) EXPECT_FALSE(is_text(std::string_view(&c, 1))) << static_cast<int>(c);
  EXPECT_FALSE(is_text("\x7f"));
  EXPECT_FALSE(is_text("\xc2\x80"));
  EXPECT_FALSE(is_text("\xc2\x9f"));
  EXPECT_FALSE(is_text("a\nb"));
}

TEST(IsText, RejectsWhatIsNotUtf8) {
  EXPECT_FALSE(is_text("\x80"));              // a follower alone
  EXPECT_FALSE(is_text("\xc3"));              // cut off
  EXPECT_FALSE(is_text("\xe2\x82"));          // cut off
  EXPECT_FALSE(is_text("\xc3("));             // no follower
  EXPECT_FALSE(is_text("\xe2\x82("));         // no second follower
  EXPECT_FALSE(is_text("\xc0\xaf"));          // overlong
  EXPECT_FALSE(is_text("\xc1\xbf"));          // overlong
  EXPECT_FALSE(is_text("\xe0\x9f\xbf"));      // overlong
  EXPECT_FALSE(is_text("\xf0\x8f\xbf\xbf"));  // overlong
  EXPECT_FALSE(is_text("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(is_text("\xf4\x90\x80\x80"));  // over U+10FFFF
  EXPECT_FALSE(is_text("\xf5\x80\x80\x80"));
  EXPECT_FALSE(is_text("\xff"));
}

TEST(IsLifetime, KnowsWhatAKeyCanHave) {
  EXPECT_TRUE(is_lifetime(Lifetime::kDefault));
  EXPECT_FALSE(is_key_lifetime(Lifetime::kDefault));
  for (const Lifetime lifetime : {Lifetime::kSession, Lifetime::kVolatile, Lifetime::kPersistent}) {
    EXPECT_TRUE(is_lifetime(lifetime));
    EXPECT_TRUE(is_key_lifetime(lifetime));
  }
  EXPECT_FALSE(is_lifetime(static_cast<Lifetime>(4)));
  EXPECT_FALSE(is_key_lifetime(static_cast<Lifetime>(0xff)));
}

}  // namespace
}  // namespace wvds::protocol
