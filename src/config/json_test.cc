#include "config/json.h"

#include <gtest/gtest.h>

namespace wvds::config {
namespace {

JsonValue parsed(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_TRUE(value.has_value()) << (value ? "" : value.error().message);
  return value ? std::move(*value) : JsonValue{};
}

JsonError refused(std::string_view text) {
  auto value = parse_json(text);
  EXPECT_FALSE(value.has_value());
  return value ? JsonError{} : value.error();
}

TEST(Json, RemembersTheLineOfEveryMember) {
  const JsonValue root = parsed("{\n  \"a\": 1,\n  \"b\": {\n    \"c\": \"text\"\n  }\n}\n");
  ASSERT_EQ(root.members.size(), 2u);
  EXPECT_EQ(root.line, 1);
  EXPECT_EQ(root.members[0].line, 2);
  EXPECT_EQ(root.members[1].line, 3);
  EXPECT_EQ(root.members[1].value.members[0].line, 4);
}

TEST(Json, RemembersTheLineOfANumberThatEndsItsLine) {
  const JsonValue root = parsed("[\n1\n,\n22\n]");
  ASSERT_EQ(root.items.size(), 2u);
  EXPECT_EQ(root.items[0].line, 2);
  EXPECT_EQ(root.items[1].line, 4);
}

TEST(Json, AcceptsComments) {
  const JsonValue root = parsed("// head\n{ /* one\n two */ \"a\": true // tail\n}");
  ASSERT_EQ(root.members.size(), 1u);
  EXPECT_EQ(root.members[0].line, 3);
  EXPECT_TRUE(root.members[0].value.truth);
}

TEST(Json, GivesWholeNumbersOnly) {
  const JsonValue root = parsed("[0, 18446744073709551615, -1, 1.5, 18446744073709551616]");
  ASSERT_EQ(root.items.size(), 5u);
  EXPECT_EQ(root.items[0].number, 0u);
  EXPECT_EQ(root.items[1].number, UINT64_MAX);
  for (size_t i = 2; i < 5; ++i) EXPECT_FALSE(root.items[i].number.has_value());
  EXPECT_EQ(root.items[3].text, "1.5");
}

TEST(Json, NamesTheLineOfASyntaxError) {
  EXPECT_EQ(refused("{\n  \"a\": 1,\n  \"b\" 2\n}").line, 3);
  EXPECT_EQ(refused("{\n\"a\": tru\n}").line, 2);
}

TEST(Json, RefusesANameThatStandsTwice) {
  const JsonError error = refused("{\n\"a\": 1,\n\"a\": 2}");
  EXPECT_EQ(error.line, 3);
  EXPECT_EQ(error.message, "\"a\" stands twice in one object, first in line 2");
}

TEST(Json, RefusesDeepNesting) {
  EXPECT_TRUE(parse_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']')).has_value());
  EXPECT_EQ(refused(std::string(100'000, '[')).message, "nested deeper than 16 levels");
}

TEST(Json, RefusesAnEmptyText) { refused(""); }
TEST(Json, RefusesTextAfterTheDocument) { refused("{} {}"); }
TEST(Json, RefusesWhatIsNotUtf8) { refused("[\"\xff\"]"); }
TEST(Json, RefusesAVeryLargeText) { EXPECT_EQ(refused(std::string(kMaxJsonSize + 1, ' ')).line, 1); }

}  // namespace
}  // namespace wvds::config
