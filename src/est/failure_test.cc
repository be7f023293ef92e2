#include "est/failure.h"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace wvds::est {
namespace {

constexpr int kKinds = static_cast<int>(FailureKind::kWrongFingerprint) + 1;

TEST(FailureWords, NameEachKindOnce) {
  std::set<std::string> names;
  for (int i = 0; i < kKinds; ++i) {
    const std::string name = failure_name(static_cast<FailureKind>(i));
    EXPECT_TRUE(std::regex_match(name, std::regex("[a-z0-9]+(-[a-z0-9]+)*"))) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_STREQ(failure_name(FailureKind::kNameMismatch), "name-mismatch");
  EXPECT_STREQ(failure_name(FailureKind::kWrongFingerprint), "wrong-fingerprint");
}

TEST(FailureWords, AdviseInOneSentence) {
  std::set<std::string> sentences;
  for (int i = 0; i < kKinds; ++i) {
    const std::string advice = failure_advice(static_cast<FailureKind>(i));
    EXPECT_TRUE(std::regex_match(advice, std::regex("[A-Z].*\\."))) << advice;
    EXPECT_TRUE(sentences.insert(advice).second) << advice;
  }
}

// The page of est_service lists them all, in these words.
TEST(FailureWords, StandInTheDocumentation) {
  std::ifstream file(WVDS_SOURCE_DIR "/docs/est.md");
  std::stringstream page;
  page << file.rdbuf();
  for (int i = 0; i < kKinds; ++i) {
    const auto kind = static_cast<FailureKind>(i);
    const std::string row = std::string("| `") + failure_name(kind) + "` | " + failure_advice(kind) + " |\n";
    EXPECT_NE(page.str().find(row), std::string::npos) << row;
  }
}

TEST(Failed, CarriesKindAndDetail) {
  const Outcome<int> outcome = failed(FailureKind::kClock, "it is 1970");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, FailureKind::kClock);
  EXPECT_EQ(outcome.error().detail, "it is 1970");
}

}  // namespace
}  // namespace wvds::est
