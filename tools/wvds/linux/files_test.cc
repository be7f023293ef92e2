#include "tools/wvds/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

namespace wvds::tool {
namespace {

const std::vector<uint8_t> kBytes{'n', 'e', 'w'};

// FilesTest has a folder of its own.
class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    char name[] = "/tmp/wvds-files-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  void put(const std::string& name, const std::string& content) const { std::ofstream(path(name)) << content; }
  std::string get(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }
  mode_t mode(const std::string& name) const {
    struct stat info{};
    EXPECT_EQ(::stat(path(name).c_str(), &info), 0);
    return info.st_mode & 07777;
  }
  size_t count() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {})); }

  std::string folder_;
};

}  // namespace

TEST_F(FilesTest, ASecretIsForItsOwnerOnly) {
  ASSERT_TRUE(write_output({.path = path("secret"), .is_secret = true}, kBytes));
  EXPECT_EQ(get("secret"), "new");
  EXPECT_EQ(mode("secret"), 0600u);
  EXPECT_EQ(count(), 1u) << "a temporary file was left";
}

TEST_F(FilesTest, ASecretDoesNotReplaceAnything) {
  put("secret", "old");
  const Output output{.path = path("secret"), .is_secret = true};
  EXPECT_FALSE(check_output(output));
  const auto written = write_output(output, kBytes);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().exit, Exit::kFailed);
  EXPECT_NE(written.error().message.find("--force"), std::string::npos);
  EXPECT_EQ(get("secret"), "old");
  EXPECT_EQ(count(), 1u);
}

TEST_F(FilesTest, ForceReplacesASecretAndItsMode) {
  put("secret", "old");
  ::chmod(path("secret").c_str(), 0644);
  ASSERT_TRUE(write_output({.path = path("secret"), .is_secret = true, .force = true}, kBytes));
  EXPECT_EQ(get("secret"), "new");
  EXPECT_EQ(mode("secret"), 0600u);
}

TEST_F(FilesTest, OtherOutputFollowsTheUsersMask) {
  const mode_t before = ::umask(027);
  ASSERT_TRUE(write_output({.path = path("public")}, kBytes));
  ::umask(before);
  EXPECT_EQ(mode("public"), 0640u);
}

TEST_F(FilesTest, ALinkStaysALink) {
  put("target", "old");
  std::filesystem::create_symlink(path("target"), path("link"));
  ASSERT_TRUE(write_output({.path = path("link")}, kBytes));
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(get("target"), "new");
}

TEST_F(FilesTest, ADeviceIsWrittenToAndNotReplaced) {
  ASSERT_TRUE(write_output({.path = "/dev/null", .is_secret = true}, kBytes));
  struct stat info{};
  ASSERT_EQ(::stat("/dev/null", &info), 0);
  EXPECT_TRUE(S_ISCHR(info.st_mode));
  EXPECT_FALSE(write_output({.path = "/dev/full"}, kBytes));
}

TEST_F(FilesTest, WhatCannotBeWrittenLeavesNothing) {
  EXPECT_FALSE(write_output({.path = path("no/such/folder")}, kBytes));
  EXPECT_FALSE(write_output({.path = folder_}, kBytes)) << "a folder";
  EXPECT_EQ(count(), 0u);
}

TEST_F(FilesTest, AnOutputThatIsNotCommittedLeavesNothing) {
  put("file", "old");
  {
    auto output = OutputFile::open({.path = path("file")});
    ASSERT_TRUE(output);
    ASSERT_TRUE(output->write(kBytes));
    EXPECT_EQ(count(), 2u) << "the temporary file beside it";
    EXPECT_FALSE(output->part_is_out());
    const OutputFile moved(std::move(*output));
    EXPECT_EQ(count(), 2u);
  }
  EXPECT_EQ(count(), 1u);
  EXPECT_EQ(get("file"), "old");
}

TEST_F(FilesTest, AnOutputInPiecesIsWholeAtItsCommit) {
  auto output = OutputFile::open({.path = path("file")});
  ASSERT_TRUE(output);
  ASSERT_TRUE(output->write(kBytes));
  ASSERT_TRUE(output->write({}));
  ASSERT_TRUE(output->write(kBytes));
  EXPECT_FALSE(std::filesystem::exists(path("file")));
  ASSERT_TRUE(output->commit());
  EXPECT_EQ(get("file"), "newnew");
  EXPECT_EQ(count(), 1u);
}

TEST_F(FilesTest, WhatWentToADeviceIsOut) {
  auto output = OutputFile::open({.path = "/dev/null"});
  ASSERT_TRUE(output);
  EXPECT_FALSE(output->part_is_out());
  ASSERT_TRUE(output->write(kBytes));
  EXPECT_TRUE(output->part_is_out());
  EXPECT_TRUE(output->commit());
}

// Terminal is a terminal of the test's own; what is written to it is thrown away.
class Terminal {
 public:
  Terminal() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    EXPECT_EQ(::grantpt(master_.get()), 0);
    EXPECT_EQ(::unlockpt(master_.get()), 0);
  }
  std::string path() const { return ::ptsname(master_.get()); }

 private:
  Descriptor master_;
};

TEST_F(FilesTest, ATerminalGetsText) {
  const Terminal terminal;
  auto output = OutputFile::open({.path = terminal.path()});
  ASSERT_TRUE(output);
  EXPECT_TRUE(output->is_terminal());
  EXPECT_TRUE(output->write(kBytes));
  EXPECT_FALSE(output->write(std::vector<uint8_t>{'a', 0x1B})) << "an escape";
  EXPECT_TRUE(output->write(std::vector<uint8_t>{0xC3})) << "the first half of a letter";
  EXPECT_TRUE(output->write(std::vector<uint8_t>{0x9B})) << "its second half";
  EXPECT_TRUE(output->write(std::vector<uint8_t>{0xC2}));
  EXPECT_FALSE(output->write(std::vector<uint8_t>{0x9B})) << "half of a control character a piece";
}

TEST_F(FilesTest, AnInputKnowsTheSizeOfAFileOnly) {
  put("file", "12345");
  const auto file = Input::open(path("file"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size(), 5u);
  const auto device = Input::open("/dev/null");
  ASSERT_TRUE(device);
  EXPECT_FALSE(device->size());
}

TEST_F(FilesTest, ReadsUpToTheLimitAndSaysWhenThereIsMore) {
  put("file", "12345");
  const auto whole = read_input(path("file"), 5);
  ASSERT_TRUE(whole);
  EXPECT_EQ(std::string(whole->view().begin(), whole->view().end()), "12345");
  const auto longer = read_input(path("file"), 4, " (advice)");
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().message, path("file") + ": more than the 4 bytes that one request takes (advice)");
}

TEST_F(FilesTest, SaysWhichFileIsMissing) {
  const auto missing = read_input(path("nothing"), 10);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, path("nothing") + ": No such file or directory");
  EXPECT_FALSE(read_input(folder_, 10)) << "a folder";
}

}  // namespace wvds::tool
