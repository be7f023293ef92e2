#include "est/multipart.h"

#include "est/testing/outcome.h"

namespace wvds::est {
namespace {

Outcome<std::vector<Part>> split(std::string_view body, std::string_view boundary = "b") {
  return split_multipart(as_bytes(body), boundary);
}

// RFC 2046, section 5.1.1
TEST(Multipart, KeepsThePartsOnly) {
  const auto parts = split(
      "preamble\r\n--b \t\r\nContent-Type: "
      "text/plain\r\n\r\none\r\ntwo\r\n\r\n--b\r\n\r\nthree\r\n--b--\r\nepilogue\r\n--b\r\n");
  ASSERT_TRUE(parts) << detail_of(parts);
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ(*(*parts)[0].field("content-type"), "text/plain");
  EXPECT_EQ(to_text((*parts)[0].content), "one\r\ntwo\r\n");
  EXPECT_TRUE((*parts)[1].fields.empty());
  EXPECT_EQ((*parts)[1].field("content-type"), nullptr);
  EXPECT_EQ(to_text((*parts)[1].content), "three");
}

TEST(Multipart, TakesLinesThatEndWithLfOnly) {
  const auto parts = split("--b\nA: x\n\none\n--b--");
  ASSERT_TRUE(parts) << detail_of(parts);
  EXPECT_EQ(*parts->at(0).field("a"), "x");
  EXPECT_EQ(to_text(parts->at(0).content), "one");
}

TEST(Multipart, DoesNotTakeALongerLineForTheBoundary) {
  const auto parts = split("--b\r\n\r\n--bc\r\n --b\r\n--b-\r\n--b--\r\n");
  ASSERT_TRUE(parts) << detail_of(parts);
  EXPECT_EQ(to_text(parts->at(0).content), "--bc\r\n --b\r\n--b-");
}

TEST(Multipart, MayBeEmpty) {
  EXPECT_TRUE(split("--b--")->empty());
  const auto parts = split("--b\r\n--b\r\n\r\n--b--");
  ASSERT_TRUE(parts) << detail_of(parts);
  EXPECT_EQ(parts->size(), 2u);
}

TEST(Multipart, RefusesWhatItCantRead) {
  for (const char* bad :
       {"", "text", "--b", "--b\r\n\r\none", "--b\r\n\r\none\r\n--b\r\n", "--b\r\nno field\r\n\r\none\r\n--b--"}) {
    EXPECT_TRUE(fails_as(split(bad), FailureKind::kBadHttp)) << bad;
  }
  for (const std::string& boundary : {std::string(), std::string("b\n"), std::string("b "), std::string(71, 'b'),
                                      std::string("\xc3\xa4"), std::string(1, '\0')}) {
    EXPECT_TRUE(fails_as(split("--b--", boundary), FailureKind::kBadHttp, "boundary"));
  }
  EXPECT_TRUE(split("--" + std::string(70, 'b') + "--", std::string(70, 'b')));
}

TEST(Multipart, HasLimits) {
  std::string most;
  for (size_t i = 0; i < kMaxParts; ++i) most += "--b\r\n\r\nx\r\n";
  EXPECT_EQ(split(most + "--b--")->size(), kMaxParts);
  EXPECT_TRUE(fails_as(split(most + "--b\r\n\r\nx\r\n--b--"), FailureKind::kTooLarge));
  EXPECT_TRUE(
      fails_as(split("--b\r\nA: " + std::string(kMaxPartHeader, 'x') + "\r\n\r\nx\r\n--b--"), FailureKind::kTooLarge));
}

}  // namespace
}  // namespace wvds::est
