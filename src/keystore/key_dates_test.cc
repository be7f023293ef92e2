#include "keystore/key_dates.h"

#include <gtest/gtest.h>

namespace wvds::keystore {
namespace {

constexpr uint64_t kBegin = 1'798'761'600;  // 2027-01-01T00:00:00Z
constexpr uint64_t kEnd = 1'830'297'599;    // 2027-12-31T23:59:59Z
constexpr uint64_t kDay = 86'400;
constexpr KeyLimits kYear{.max_uses = 0, .not_before = kBegin, .not_after = kEnd};

std::optional<platform::WallTime> at(uint64_t seconds, int milliseconds = 0) {
  return platform::WallTime(std::chrono::seconds(seconds) + std::chrono::milliseconds(milliseconds));
}

Status checked(const KeyLimits& limits, Purpose purpose, std::optional<platform::WallTime> now) {
  const auto result = check_dates(limits, purpose, now);
  return result ? Status::kSuccess : result.error().status;
}

TEST(KeyDates, AllowEverythingFromTheFirstSecondToTheEndOfTheLast) {
  for (const Purpose purpose : {Purpose::kProtect, Purpose::kProcess}) {
    EXPECT_EQ(checked(kYear, purpose, at(kBegin - 1, 999)), Status::kKeyNotValid);
    EXPECT_EQ(checked(kYear, purpose, at(kBegin)), Status::kSuccess);
    EXPECT_EQ(checked(kYear, purpose, at(kEnd, 999)), Status::kSuccess);
  }
}

TEST(KeyDates, AllowWhatWasProtectedToBeProcessedAfterTheEnd) {
  EXPECT_EQ(checked(kYear, Purpose::kProtect, at(kEnd + 1)), Status::kKeyNotValid);
  EXPECT_EQ(checked(kYear, Purpose::kProcess, at(kEnd + 1)), Status::kSuccess);
  EXPECT_EQ(checked(kYear, Purpose::kProcess, at(kLastDate)), Status::kSuccess);
}

TEST(KeyDates, MayBeOneOnly) {
  EXPECT_EQ(checked({.not_after = kEnd}, Purpose::kProcess, at(kBegin - 1)), Status::kSuccess);
  EXPECT_EQ(checked({.not_after = kEnd}, Purpose::kProtect, at(kEnd + 1)), Status::kKeyNotValid);
  EXPECT_EQ(checked({.not_before = kBegin}, Purpose::kProcess, at(kBegin - 1)), Status::kKeyNotValid);
  EXPECT_EQ(checked({.not_before = kBegin}, Purpose::kProtect, at(kLastDate)), Status::kSuccess);
}

TEST(KeyDates, AllowNothingWhereTheTimeIsNotKnown) {
  EXPECT_EQ(checked(kYear, Purpose::kProtect, std::nullopt), Status::kKeyNotValid);
  EXPECT_EQ(checked({.not_after = kEnd}, Purpose::kProcess, std::nullopt), Status::kKeyNotValid);
  EXPECT_EQ(checked({.max_uses = 5}, Purpose::kProtect, std::nullopt), Status::kSuccess) << "a key without dates";
}

TEST(KeyDates, AreToldInUtc) {
  EXPECT_NE(check_dates(kYear, Purpose::kProtect, at(1)).error().detail.find("2027-01-01T00:00:00Z"),
            std::string::npos);
}

TEST(KeyDates, AnnounceTheEndThirtyDaysBefore) {
  EXPECT_EQ(end_warning(kYear, at(kEnd - 30 * kDay - 1)), "");
  EXPECT_NE(end_warning(kYear, at(kEnd - 30 * kDay)).find("after 2027-12-31T23:59:59Z"), std::string::npos);
  EXPECT_NE(end_warning(kYear, at(kEnd)).find("after 2027"), std::string::npos);
  EXPECT_NE(end_warning(kYear, at(kEnd + 1)).find("since 2027-12-31T23:59:59Z"), std::string::npos);
  EXPECT_NE(end_warning({.not_before = kBegin}, std::nullopt).find("not known"), std::string::npos);
  EXPECT_EQ(end_warning({.not_before = kBegin}, at(kLastDate)), "");
  EXPECT_EQ(end_warning({.max_uses = 5}, std::nullopt), "");
}

TEST(KeyLimits, AreSoundWhenEachMeansSomething) {
  EXPECT_TRUE(limits_are_sound({}));
  EXPECT_TRUE(limits_are_sound({.max_uses = kMostUses, .not_before = 1, .not_after = 2}));
  EXPECT_TRUE(limits_are_sound({.not_before = kLastDate}));
  EXPECT_FALSE(limits_are_sound({.max_uses = kMostUses + 1}));
  EXPECT_FALSE(limits_are_sound({.not_before = 2, .not_after = 2}));
  EXPECT_FALSE(limits_are_sound({.not_before = 2, .not_after = 1}));
  EXPECT_FALSE(limits_are_sound({.not_before = kLastDate + 1}));
  EXPECT_FALSE(limits_are_sound({.not_after = kLastDate + 1}));
}

TEST(KeyLimits, CountWhatIsDoneWithASecretAndGivesSomethingAway) {
  for (const Usage usage :
       {Usage::kEncrypt, Usage::kSign, Usage::kSignMu, Usage::kTlsAndCsr, Usage::kDecapsRaw, Usage::kDecapsToKey}) {
    EXPECT_TRUE(uses_secret(static_cast<Usages>(usage))) << usage_name(usage);
  }
  EXPECT_FALSE(uses_secret(Usage::kDecrypt | Usage::kVerify));
  EXPECT_FALSE(uses_secret(static_cast<Usages>(Usage::kEncapsulate)));
}

}  // namespace
}  // namespace wvds::keystore
