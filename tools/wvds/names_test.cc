#include "tools/wvds/names.h"

#include <gtest/gtest.h>

namespace wvds::tool {

TEST(Names, ReadUsagesAsConfigurationWritesThem) {
  const auto usages = usages_from_words({"encapsulate", "decaps-to-key"});
  ASSERT_TRUE(usages);
  EXPECT_EQ(*usages, static_cast<uint32_t>(WVDS_USAGE_ENCAPSULATE) | static_cast<uint32_t>(WVDS_USAGE_DECAPS_TO_KEY));
  EXPECT_EQ(usages_text(*usages), "encapsulate, decaps-to-key");
  EXPECT_EQ(usages_from_words({}).value_or(1), 0u);
}

TEST(Names, SayWhichUsagesThereAre) {
  const auto usages = usages_from_words({"encrypt", "encryption"});
  ASSERT_FALSE(usages);
  EXPECT_EQ(usages.error().exit, Exit::kUsage);
  EXPECT_NE(usages.error().message.find("\"encryption\""), std::string::npos);
  EXPECT_NE(usages.error().message.find("decaps-raw"), std::string::npos);
}

TEST(Names, ReadAlgorithmsInAnyCase) {
  EXPECT_EQ(algorithm_from_word("ml-kem-768").value_or(0), static_cast<uint32_t>(WVDS_MLKEM_768));
  EXPECT_EQ(algorithm_from_word("AES-256-GCM").value_or(0), static_cast<uint32_t>(WVDS_AES_256_GCM));
  const auto unknown = algorithm_from_word("RSA");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().exit, Exit::kUsage);
  EXPECT_NE(unknown.error().message.find("ML-DSA-87"), std::string::npos);
}

TEST(Names, WriteThousandsApart) {
  EXPECT_EQ(number_text(0), "0");
  EXPECT_EQ(number_text(999), "999");
  EXPECT_EQ(number_text(1000), "1,000");
  EXPECT_EQ(number_text(4294967296), "4,294,967,296");
}

TEST(Names, ShowWhatTheyDontKnowAsNumbers) {
  EXPECT_EQ(algorithm_text(250), "250");
  EXPECT_EQ(place_text(9), "place 9");
  EXPECT_EQ(lifetime_text(9), "9");
}

}  // namespace wvds::tool
