#include "platform/disk.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "platform/durable.h"
#include "platform/linux/access.h"

namespace wvds::platform {
namespace {

namespace fs = std::filesystem;

class LinuxDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "wvds-disk-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    parent_ = pattern;
    folder_ = (parent_ / "store").string();
  }
  void TearDown() override { fs::remove_all(parent_); }

  // opened makes and locks the folder.
  std::unique_ptr<Disk> opened() {
    auto disk = open_disk(folder_);
    const auto result = open_folder(*disk);
    EXPECT_TRUE(result.has_value()) << result.error().detail;
    return disk;
  }

  void write(const std::string& name, std::string_view content, mode_t mode) {
    std::ofstream(fs::path(folder_) / name) << content;
    ASSERT_EQ(::chmod((fs::path(folder_) / name).c_str(), mode), 0);
  }

  fs::path parent_;
  std::string folder_;
};

mode_t mode_of(const fs::path& path) {
  struct stat facts{};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0);
  return facts.st_mode & 07777;
}

TEST_F(LinuxDisk, MakesAFolderAndFilesThatOnlyTheOwnerCanUse) {
  const mode_t before = ::umask(0);
  auto disk = opened();
  ASSERT_TRUE(durable_replace(*disk, "a", as_bytes("content")));
  ::umask(before);
  EXPECT_EQ(mode_of(folder_), 0700u);
  EXPECT_EQ(mode_of(fs::path(folder_) / "a"), 0600u);
}

TEST_F(LinuxDisk, ReplacesReadsListsAndRemoves) {
  auto disk = opened();
  ASSERT_TRUE(durable_replace(*disk, "a", as_bytes("one")));
  ASSERT_TRUE(durable_replace(*disk, "a", as_bytes("three")));
  EXPECT_EQ(disk->list().value(), std::vector<std::string>{"a"});
  EXPECT_EQ(disk->read("a", 5).value().size(), 5u);
  ASSERT_TRUE(durable_remove(*disk, "a"));
  ASSERT_TRUE(durable_remove(*disk, "a")) << "removing what is not there succeeds";
  EXPECT_EQ(disk->read("a", 5).error().status, Status::kKeyNotFound);
  EXPECT_TRUE(disk->list().value().empty());
}

TEST_F(LinuxDisk, LeavesNoDescriptorToAChildProgram) {
  auto disk = opened();
  auto file = disk->create("a");
  ASSERT_TRUE(file.has_value());
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const fs::path target = fs::read_symlink(entry.path(), gone);
    if (gone || !target.string().starts_with(folder_)) continue;
    std::ifstream info("/proc/self/fdinfo/" + entry.path().filename().string());
    std::string word, flags;
    while (info >> word && word != "flags:") continue;
    info >> flags;
    EXPECT_NE(std::stoul(flags, nullptr, 8) & 02000000, 0u) << target;
  }
}

TEST_F(LinuxDisk, RefusesAFolderThatOthersCanWrite) {
  opened().reset();
  for (const mode_t mode : {0770, 0707, 0777, 01777}) {
    ASSERT_EQ(::chmod(folder_.c_str(), mode), 0);
    const auto refused = open_disk(folder_)->make_folder();
    ASSERT_FALSE(refused.has_value()) << std::oct << mode;
    EXPECT_NE(refused.error().detail.find(folder_), std::string::npos);
  }
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  EXPECT_TRUE(open_disk(folder_)->use_folder());
}

TEST_F(LinuxDisk, RefusesAFolderOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  opened().reset();
  ASSERT_EQ(::chown(folder_.c_str(), 65534, 65534), 0);
  EXPECT_FALSE(open_disk(folder_)->make_folder());
}

TEST_F(LinuxDisk, LetsOneServiceIntoAFolderAndNamesItToTheOther) {
  auto first = opened();
  auto second = open_disk(folder_ + "/");
  const auto refused = open_folder(*second);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().status, Status::kStorageError);
  EXPECT_NE(refused.error().detail.find(folder_), std::string::npos);
  EXPECT_NE(refused.error().detail.find("another service"), std::string::npos);
  first.reset();
  EXPECT_TRUE(open_folder(*second)) << "the lock ends with its holder";
}

TEST_F(LinuxDisk, UseFolderDoesNotMakeOne) {
  const auto refused = open_disk(folder_)->use_folder();
  ASSERT_FALSE(refused.has_value());
  EXPECT_FALSE(fs::exists(folder_));
}

TEST_F(LinuxDisk, ReadsSecretsThatOnlyTheOwnerCanReach) {
  auto disk = opened();
  std::array<std::byte, 16> out{};
  for (const mode_t mode : {0600, 0400}) {
    write("secret", "0123456789", mode);
    EXPECT_EQ(disk->read_secret("secret", out).value(), 10u);
    ASSERT_EQ(::unlink((fs::path(folder_) / "secret").c_str()), 0);
  }
}

TEST_F(LinuxDisk, RefusesSecretsThatOthersCanReachAndWipesTheOutput) {
  auto disk = opened();
  write("secret", "0123456789", 0600);
  for (const mode_t mode : {0640, 0620, 0604, 0602, 0644, 0666}) {
    ASSERT_EQ(::chmod((fs::path(folder_) / "secret").c_str(), mode), 0);
    std::array<std::byte, 16> out;
    out.fill(std::byte{7});
    const auto refused = disk->read_secret("secret", out);
    ASSERT_FALSE(refused.has_value()) << std::oct << mode;
    EXPECT_NE(refused.error().detail.find("secret"), std::string::npos);
    EXPECT_EQ(out, (std::array<std::byte, 16>{}));
  }
}

TEST_F(LinuxDisk, RefusesSecretsOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  auto disk = opened();
  write("secret", "0123456789", 0600);
  ASSERT_EQ(::chown((fs::path(folder_) / "secret").c_str(), 65534, 65534), 0);
  std::array<std::byte, 16> out{};
  EXPECT_FALSE(disk->read_secret("secret", out));
}

TEST_F(LinuxDisk, RefusesWhatIsNoRegularFileOrTooLong) {
  auto disk = opened();
  std::array<std::byte, 4> out{};
  write("long", "12345", 0600);
  EXPECT_FALSE(disk->read_secret("long", out));
  EXPECT_FALSE(disk->read("long", 4));
  fs::create_symlink(fs::path(folder_) / "long", fs::path(folder_) / "link");
  EXPECT_FALSE(disk->read("link", 100));
  ASSERT_EQ(::mkfifo((fs::path(folder_) / "pipe").c_str(), 0600), 0);
  EXPECT_FALSE(disk->read("pipe", 100));
  fs::create_directory(fs::path(folder_) / "folder");
  EXPECT_FALSE(disk->read("folder", 100));
}

TEST_F(LinuxDisk, NamesTheFileAndTheCauseOfAFailure) {
  auto disk = opened();
  ASSERT_TRUE(disk->create("a"));
  const auto taken = disk->create("a");
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().status, Status::kStorageError);
  EXPECT_EQ(taken.error().detail, folder_ + "/a: cannot create: File exists");
}

// The entries of an access control list, as linux/posix_acl_xattr.h lays them out.
std::vector<std::byte> acl(std::initializer_list<std::array<uint32_t, 3>> entries) {
  std::vector<std::byte> out(4 + 8 * entries.size());
  Writer writer(out);
  writer.u32(2);
  for (const auto& [tag, rights, id] : entries) {
    writer.u16(static_cast<uint16_t>(tag));
    writer.u16(static_cast<uint16_t>(rights));
    writer.u32(id);
  }
  return out;
}

constexpr uint32_t kNobody = 0xffffffff;

TEST(GrantsOfAcl, AllowsTheServicesUserAndRootOnly) {
  const auto list =
      acl({{1, 4, kNobody}, {2, 4, 1000}, {2, 4, 0}, {4, 0, kNobody}, {16, 4, kNobody}, {32, 0, kNobody}});
  EXPECT_FALSE(grants_of_acl(list, 6, 1000).has_value());
  EXPECT_EQ(grants_of_acl(list, 6, 1001), "user 1000");
}

TEST(GrantsOfAcl, FindsGroupsAndEverybody) {
  EXPECT_EQ(grants_of_acl(acl({{1, 6, kNobody}, {4, 4, kNobody}, {16, 4, kNobody}, {32, 0, kNobody}}), 6, 1),
            "its group");
  EXPECT_EQ(grants_of_acl(acl({{1, 6, kNobody}, {8, 4, 50}, {16, 4, kNobody}, {32, 0, kNobody}}), 6, 1), "group 50");
  EXPECT_EQ(grants_of_acl(acl({{1, 6, kNobody}, {4, 0, kNobody}, {32, 4, kNobody}}), 6, 1), "everybody");
}

TEST(GrantsOfAcl, HonoursTheMask) {
  EXPECT_FALSE(grants_of_acl(acl({{1, 6, kNobody}, {2, 4, 7}, {16, 0, kNobody}, {32, 0, kNobody}}), 6, 1).has_value());
}

TEST(GrantsOfAcl, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(grants_of_acl({}, 6, 1).has_value());
  EXPECT_TRUE(grants_of_acl(as_bytes(std::string_view("\3\0\0\0", 4)), 6, 1).has_value());
  EXPECT_TRUE(grants_of_acl(acl({{64, 4, kNobody}}), 6, 1).has_value());
  auto odd = acl({{1, 6, kNobody}});
  odd.pop_back();
  EXPECT_TRUE(grants_of_acl(odd, 6, 1).has_value());
}

TEST_F(LinuxDisk, ReadsASecretWhoseAccessListNamesOnlyThisUser) {
  auto disk = opened();
  write("secret", "0123456789", 0400);
  const std::string path = folder_ + "/secret";
  const auto mine = acl({{1, 4, kNobody}, {2, 4, ::geteuid()}, {4, 0, kNobody}, {16, 4, kNobody}, {32, 0, kNobody}});
  if (::setxattr(path.c_str(), "system.posix_acl_access", mine.data(), mine.size(), 0) != 0) {
    GTEST_SKIP() << "this file system has no access control lists";
  }
  ASSERT_EQ(mode_of(path), 0440u) << "the mode alone looks as if the group could read";
  std::array<std::byte, 16> out{};
  EXPECT_EQ(disk->read_secret("secret", out).value(), 10u);
  const auto others = acl({{1, 4, kNobody}, {2, 4, 54321}, {4, 0, kNobody}, {16, 4, kNobody}, {32, 0, kNobody}});
  ASSERT_EQ(::setxattr(path.c_str(), "system.posix_acl_access", others.data(), others.size(), 0), 0);
  EXPECT_FALSE(disk->read_secret("secret", out));
}

}  // namespace
}  // namespace wvds::platform
