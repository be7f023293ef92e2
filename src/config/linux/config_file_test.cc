#include "config/linux/config_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/linux/system_users.h"

namespace wvds::config {
namespace {

class ConfigFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "config_file_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = (folder_ / "c.json").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& text) { std::ofstream(path_) << text; }

  std::filesystem::path folder_;
  std::string path_;
};

TEST_F(ConfigFile, IsReadWhole) {
  write("{ }\n");
  EXPECT_EQ(read_config_file(path_), "{ }\n");
}

TEST_F(ConfigFile, ThatIsMissingIsNamed) {
  EXPECT_EQ(read_config_file(path_).error(), path_ + ": can't be opened: No such file or directory\n");
}

TEST_F(ConfigFile, ThatEverybodyMayWriteIsRefused) {
  write("{}");
  ASSERT_EQ(chmod(path_.c_str(), 0666), 0);
  EXPECT_EQ(read_config_file(path_).error(), path_ + ": can be written by everybody; chmod o-w it\n");
}

TEST_F(ConfigFile, ThatIsAFolderIsRefused) {
  EXPECT_EQ(read_config_file(folder_.string()).error(), folder_.string() + ": is not a regular file\n");
}

TEST_F(ConfigFile, ThatIsAFifoDoesNotBlock) {
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(read_config_file(path_).error(), path_ + ": is not a regular file\n");
}

TEST(SystemUsers, KnowTheAdministrator) {
  EXPECT_EQ(SystemUsers().user_id("root"), 0u);
  EXPECT_EQ(SystemUsers().group_id("root"), 0u);
}

TEST(SystemUsers, DoNotKnowAnInventedName) {
  EXPECT_FALSE(SystemUsers().user_id("no-such-user-here").has_value());
  EXPECT_FALSE(SystemUsers().group_id("no-such-group-here").has_value());
}

}  // namespace
}  // namespace wvds::config
