#include "tools/wvds/doctor/judge.h"

#include <gtest/gtest.h>

namespace wvds::tool {
namespace {

constexpr uint64_t kMegabyte = 1 << 20;

config::LockedMemorySettings wants(uint64_t bytes, config::LockedMemory mode) {
  config::LockedMemorySettings settings;
  settings.bytes = bytes;
  settings.mode = mode;
  return settings;
}

}  // namespace

TEST(JudgeSpace, KnowsAFullDiskANearlyFullOneAndTheRest) {
  EXPECT_EQ(judge_space("/s", {.bytes = kMegabyte - 1, .files = 1000}).level, Level::kProblem);
  EXPECT_EQ(judge_space("/s", {.bytes = kMegabyte, .files = 1000}).level, Level::kWarning);
  EXPECT_EQ(judge_space("/s", {.bytes = 31 * kMegabyte, .files = 1000}).level, Level::kWarning);
  EXPECT_EQ(judge_space("/s", {.bytes = 32 * kMegabyte, .files = 1000}).level, Level::kOk);
}

TEST(JudgeSpace, KnowsADiskWithoutRoomForAnotherFile) {
  EXPECT_EQ(judge_space("/s", {.bytes = kMegabyte << 10, .files = 0}).level, Level::kProblem);
  EXPECT_EQ(judge_space("/s", {.bytes = kMegabyte << 10, .files = 99}).level, Level::kWarning);
  EXPECT_EQ(judge_space("/s", {.bytes = kMegabyte << 10, .files = 0, .counts_files = false}).level, Level::kOk);
}

TEST(JudgeClock, WarnsOfOneThatWasNeverSet) {
  using namespace std::chrono_literals;
  EXPECT_EQ(judge_clock(platform::known_time(platform::WallTime(0ms))).level, Level::kWarning);
  const Finding set = judge_clock(platform::WallTime(std::chrono::sys_days(std::chrono::year(2030) / 1 / 2)));
  EXPECT_EQ(set.level, Level::kOk);
  EXPECT_NE(set.text.find("2030-01-02"), std::string::npos);
}

TEST(JudgeVersion, WarnsOfAServiceThatIsNotTheOneInstalled) {
  EXPECT_EQ(judge_version("0.1.0", "0.1.0").level, Level::kOk);
  const Finding other = judge_version("0.1.0", "0.2.0");
  EXPECT_EQ(other.level, Level::kWarning);
  EXPECT_NE(other.text.find("0.1.0"), std::string::npos);
  EXPECT_NE(other.text.find("0.2.0"), std::string::npos);
  EXPECT_NE(other.cure.find("restart"), std::string::npos);
}

TEST(JudgeAge, WarnsOfAFileThatIsNewerThanWhatTheServiceHasRead) {
  EXPECT_EQ(judge_age("/c", 1000, 1000).level, Level::kOk);
  EXPECT_EQ(judge_age("/c", 1010, 1000).level, Level::kOk) << "the clocks tick differently";
  EXPECT_EQ(judge_age("/c", 1011, 1000).level, Level::kWarning);
}

TEST(JudgeLockedMemory, ComparesTheLimitWithTheConfiguration) {
  const auto preferred = wants(4 * kMegabyte, config::LockedMemory::kPreferred);
  EXPECT_EQ(judge_locked_memory(preferred, 4 * kMegabyte, false).level, Level::kOk);
  EXPECT_EQ(judge_locked_memory(preferred, std::nullopt, false).level, Level::kOk);
  EXPECT_EQ(judge_locked_memory(preferred, 65536, true).level, Level::kOk);
  EXPECT_EQ(judge_locked_memory(preferred, 4 * kMegabyte - 1, false).level, Level::kWarning);
  const auto required = wants(4 * kMegabyte, config::LockedMemory::kRequired);
  const Finding problem = judge_locked_memory(required, 65536, false);
  EXPECT_EQ(problem.level, Level::kProblem);
  EXPECT_NE(problem.text.find("64 KB"), std::string::npos);
  EXPECT_NE(problem.cure.find("LimitMEMLOCK=8388608"), std::string::npos);
  EXPECT_NE(problem.cure.find("ulimit -l 8192"), std::string::npos);
}

TEST(JudgeUse, SpeaksUpFromThreeQuartersOn) {
  Findings findings;
  EXPECT_FALSE(judge_use(findings, "key 1", 1, 74, 100));
  EXPECT_FALSE(judge_use(findings, "key 1", 1, 74, 0)) << "no limit";
  EXPECT_TRUE(findings.all().empty());
  EXPECT_TRUE(judge_use(findings, "key 1", 1, 75, 100));
  EXPECT_TRUE(judge_use(findings, "key 1", 1, 100, 100));
  EXPECT_EQ(findings.count(Level::kWarning), 1u);
  EXPECT_EQ(findings.count(Level::kProblem), 1u);
  EXPECT_TRUE(judge_use(findings, "key 1", 1, uint64_t{3} << 30, uint64_t{1} << 32));
}

TEST(Findings, AreOneLineEachWithTheirCure) {
  Findings findings;
  findings.ok("store", "is well");
  findings.problem("key file", "/a\nb", "chmod 600");
  findings.not_checked("disk", "not for this user", "run as root");
  const Report report = findings_report(findings);
  EXPECT_EQ(report.text(),
            "ok          store         is well\n"
            "problem     key file      /a b. Cure: chmod 600\n"
            "not checked disk          not for this user. Cure: run as root\n");
  EXPECT_EQ(report.members()["problems"], 1);
  EXPECT_EQ(report.members()["findings"][0]["cure"], nullptr);
}

}  // namespace wvds::tool
