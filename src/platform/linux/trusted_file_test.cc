#include "platform/linux/trusted_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace wvds::platform {
namespace {

namespace fs = std::filesystem;

// ROOT/folder/file, all of this user's alone
class TrustedFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "wvds-trusted-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = fs::canonical(pattern).string();
    folder_ = root_ + "/folder";
    file_ = folder_ + "/file";
    fs::create_directory(folder_);
    std::ofstream(file_) << "x";
    set_mode(folder_, 0755);
    set_mode(file_, 0644);
  }
  void TearDown() override { fs::remove_all(root_); }

  static void set_mode(const std::string& path, mode_t mode) { ASSERT_EQ(::chmod(path.c_str(), mode), 0); }

  static std::string refusal(const std::string& path) {
    const auto trusted = trusted_file(path);
    if (trusted) return "trusted: " + *trusted;
    EXPECT_EQ(trusted.error().status, Status::kStorageError);
    return trusted.error().detail;
  }

  std::string root_, folder_, file_;
};

TEST_F(TrustedFile, IsOneThatOnlyThisUserAndRootCanWrite) { EXPECT_EQ(refusal(file_), "trusted: " + file_); }

TEST_F(TrustedFile, MayStandInAFolderThatThisUserCantList) {
  set_mode(folder_, 0311);
  EXPECT_EQ(refusal(file_), "trusted: " + file_);
}

TEST_F(TrustedFile, IsNotOneThatOthersCanWrite) {
  set_mode(file_, 0646);
  EXPECT_EQ(refusal(file_), file_ +
                                ": everybody can write it, and so decide what this service runs: make it root's, "
                                "with mode 0755");
  set_mode(file_, 0664);
  EXPECT_TRUE(refusal(file_).starts_with(file_ + ": its group can write it"));
}

TEST_F(TrustedFile, IsNotOneThatOthersCanExchange) {
  set_mode(folder_, 0757);
  EXPECT_TRUE(refusal(file_).starts_with(folder_ + ": everybody can write it"));
  set_mode(folder_, 0755);
  set_mode(root_, 0777);
  EXPECT_TRUE(refusal(file_).starts_with(root_ + ": everybody can write it")) << "whatever the folder below it allows";
}

TEST_F(TrustedFile, MayStandInAFolderWhereNobodyExchangesWhatIsAnothers) {
  set_mode(folder_, 01777);
  EXPECT_EQ(refusal(file_), "trusted: " + file_);
}

TEST_F(TrustedFile, IsFoundBehindALinkThatIsSafeToo) {
  fs::create_symlink(file_, root_ + "/link");
  EXPECT_EQ(refusal(root_ + "/link"), "trusted: " + file_);
  fs::create_directory(root_ + "/open");
  set_mode(root_ + "/open", 0777);
  fs::create_symlink(file_, root_ + "/open/link");
  EXPECT_TRUE(refusal(root_ + "/open/link").starts_with(root_ + "/open: everybody can write it"));
}

TEST_F(TrustedFile, IsNotOneOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  ASSERT_EQ(::chown(file_.c_str(), 12345, 12345), 0);
  EXPECT_TRUE(refusal(file_).starts_with(file_ + ": its owner, user 12345 can write it"));
}

TEST_F(TrustedFile, IsAFileThatIsThere) {
  EXPECT_TRUE(refusal(folder_).starts_with(folder_ + ": is not a regular file"));
  EXPECT_TRUE(refusal(root_ + "/none").starts_with(root_ + "/none: can't be found"));
}

}  // namespace
}  // namespace wvds::platform
