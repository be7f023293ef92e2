#include "config/problems.h"

#include <gtest/gtest.h>

namespace wvds::config {
namespace {

TEST(Problems, AreShownInTheOrderOfLines) {
  Problems problems("c.json");
  problems.add(7, "b", "second");
  problems.add(2, "a.b[0]", "first");
  problems.add(0, "", "the file");
  EXPECT_EQ(problems.to_text(), "c.json: the file\nc.json:2: a.b[0]: first\nc.json:7: b: second\n");
}

TEST(Problems, ShowControlCharactersEscaped) {
  Problems problems("c.json");
  problems.add(1, "a\nb", "\x1b[31m\xc3\xa4");
  EXPECT_EQ(problems.to_text(), "c.json:1: a\\x0ab: \\x1b[31m\\xc3\\xa4\n");
}

TEST(NearestWord, FindsAMisspelling) {
  EXPECT_EQ(nearest_word("aes-encript", {"aes-decrypt", "aes-encrypt"}), "aes-encrypt");
  EXPECT_EQ(nearest_word("sesions", {"session_keys", "sessions"}), "sessions");
  EXPECT_EQ(nearest_word("uuid", {"gid", "uid"}), "uid");
}

TEST(NearestWord, FindsNothingForAForeignWord) {
  EXPECT_EQ(nearest_word("quota", {"sessions", "keys"}), "");
  EXPECT_EQ(nearest_word(std::string(100'000, 'a'), {"sessions"}), "");
}

TEST(WordAdvice, ListsTheKnownWordsWhenNoneIsNear) {
  EXPECT_EQ(word_advice("quota", {"sessions", "keys"}), "; known are sessions, keys");
  EXPECT_EQ(word_advice("key", {"sessions", "keys"}), "; did you mean \"keys\"?");
}

}  // namespace
}  // namespace wvds::config
