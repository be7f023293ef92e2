#include "service/linux/audit_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

namespace wvds::service {
namespace {

class AuditFolder : public ::testing::Test {
 protected:
  AuditFolder() {
    char name[] = "/tmp/wvds-audit-XXXXXX";
    root_ = ::mkdtemp(name);
  }
  ~AuditFolder() override { std::filesystem::remove_all(root_); }

  AuditFiles files(uint32_t count = 3) const { return {folder(), count}; }
  std::string folder() const { return root_ + "/audit"; }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder())) out.insert(entry.path().filename());
    return out;
  }

  std::string root_;
};

using Names = std::set<std::string>;

TEST_F(AuditFolder, IsMadeForThisUserOnly) {
  AuditFiles audit = files();
  ASSERT_TRUE(audit.append("one\n", true).has_value());
  struct stat facts{};
  ASSERT_EQ(::stat(folder().c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0700u);
  ASSERT_EQ(::stat((folder() + "/audit.log").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600u);
}

TEST_F(AuditFolder, GivesBackWhatWasAppended) {
  {
    AuditFiles audit = files();
    ASSERT_TRUE(audit.append("one\n", false).has_value());
    ASSERT_TRUE(audit.append("two\n", true).has_value());
  }
  AuditFiles audit = files();
  EXPECT_EQ(audit.read_current().value(), "one\ntwo\n");
  ASSERT_TRUE(audit.cut(4).has_value());
  ASSERT_TRUE(audit.append("three\n", true).has_value());
  EXPECT_EQ(audit.read_current().value(), "one\nthree\n");
}

TEST_F(AuditFolder, HasNothingWhereThereIsNoLog) {
  AuditFiles audit = files();
  EXPECT_EQ(audit.read_current().value(), "");
  EXPECT_EQ(audit.read_former().value(), "");
}

TEST_F(AuditFolder, ClosesFilesUnderTheirNumberAndKeepsTheNewest) {
  AuditFiles audit = files(3);
  for (const uint64_t number : {1, 20, 300, 4000}) {
    ASSERT_TRUE(audit.append(std::to_string(number) + "\n", false).has_value());
    ASSERT_TRUE(audit.close_current(number, false).has_value());
  }
  ASSERT_TRUE(audit.append("end\n", false).has_value());
  EXPECT_EQ(names(), (Names{"audit-000000000300.log", "audit-000000004000.log", "audit.log"}));
  EXPECT_EQ(audit.read_former().value(), "4000\n");
}

TEST_F(AuditFolder, NeverRemovesOrReplacesWhatWasSetAside) {
  AuditFiles audit = files(2);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(audit.append("damage\n", false).has_value());
    ASSERT_TRUE(audit.close_current(7, true).has_value());
  }
  for (const uint64_t number : {8, 9}) {
    ASSERT_TRUE(audit.append("good\n", false).has_value());
    ASSERT_TRUE(audit.close_current(number, false).has_value());
  }
  EXPECT_EQ(names(), (Names{"audit-000000000007-damaged.log", "audit-000000000007-damaged-2.log",
                            "audit-000000000007-damaged-3.log", "audit-000000000009.log"}));
}

TEST_F(AuditFolder, RefusesAFolderThatOthersCanWrite) {
  std::filesystem::create_directory(folder());
  std::filesystem::permissions(folder(), std::filesystem::perms::all);
  AuditFiles audit = files();
  const auto appended = audit.append("one\n", false);
  ASSERT_FALSE(appended.has_value());
  EXPECT_NE(appended.error().detail.find("can write this folder"), std::string::npos);
}

TEST_F(AuditFolder, RefusesALinkInTheLogsPlace) {
  std::filesystem::create_directory(folder());
  std::filesystem::permissions(folder(), std::filesystem::perms::owner_all);
  std::filesystem::create_symlink(root_ + "/elsewhere", folder() + "/audit.log");
  AuditFiles audit = files();
  EXPECT_FALSE(audit.append("one\n", false).has_value());
  EXPECT_FALSE(std::filesystem::exists(root_ + "/elsewhere"));
}

// SmallFiles makes writing fail in the middle of a line, as a full disk does.
class SmallFiles {
 public:
  explicit SmallFiles(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallFiles() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, SIG_DFL);
  }

 private:
  rlimit before_{};
};

TEST_F(AuditFolder, TakesBackALineThatDoesNotFit) {
  AuditFiles audit = files();
  ASSERT_TRUE(audit.append("one\n", true).has_value());
  {
    const SmallFiles limit(10);
    EXPECT_FALSE(audit.append("a line that is too long\n", true).has_value());
  }
  EXPECT_EQ(audit.read_current().value(), "one\n");
  ASSERT_TRUE(audit.append("two\n", true).has_value());
  EXPECT_EQ(audit.read_current().value(), "one\ntwo\n");
}

}  // namespace
}  // namespace wvds::service
