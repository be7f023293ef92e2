#include "service/linux/metrics_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "base/log.h"
#include "service/linux/reloader.h"

namespace wvds::service {
namespace {

constexpr std::chrono::seconds kWatchdog{60};

// Events counts things that happen on other threads, and lets a test wait for them.
class Events {
 public:
  void happen() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool wait_for(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kWatchdog, [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

class MetricsFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "wvds-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    path_ = folder_ + "/m.prom";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::string content(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  size_t files() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder_), {})); }

  std::string folder_;
  std::string path_;
};

TEST_F(MetricsFileTest, IsReplacedAsAWhole) {
  ASSERT_TRUE(replace_metrics_file(path_, "old and long\n").has_value());
  ASSERT_TRUE(replace_metrics_file(path_, "new\n").has_value());
  EXPECT_EQ(content(path_), "new\n");
  EXPECT_EQ(files(), 1u);
}

TEST_F(MetricsFileTest, IsForEverybodyToReadWhateverTheUmask) {
  const mode_t before = umask(077);
  ASSERT_TRUE(replace_metrics_file(path_, "x\n").has_value());
  umask(before);
  struct stat facts{};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777, 0644u);
}

TEST_F(MetricsFileTest, IsWrittenInSpiteOfWhatAKilledServiceLeft) {
  std::ofstream(path_ + ".tmp") << "half";
  EXPECT_TRUE(replace_metrics_file(path_, "x\n").has_value());
  EXPECT_EQ(content(path_), "x\n");
  EXPECT_EQ(files(), 1u);
}

TEST_F(MetricsFileTest, DoesNotFollowALinkThatSomebodyPutThere) {
  const std::string victim = folder_ + "/victim";
  std::ofstream(victim) << "precious";
  ASSERT_EQ(symlink(victim.c_str(), (path_ + ".tmp").c_str()), 0);
  EXPECT_TRUE(replace_metrics_file(path_, "x\n").has_value());
  EXPECT_EQ(content(victim), "precious");
}

TEST_F(MetricsFileTest, LeavesNothingBehindWhenItFails) {
  ASSERT_EQ(mkdir(path_.c_str(), 0700), 0);
  ASSERT_EQ(mkdir((path_ + "/full").c_str(), 0700), 0);
  EXPECT_EQ(replace_metrics_file(path_, "x\n").error().status, Status::kStorageError);
  EXPECT_EQ(files(), 1u);
  EXPECT_FALSE(replace_metrics_file(folder_ + "/none/m.prom", "x\n").has_value());
}

Events* g_warnings = nullptr;
Events* g_recoveries = nullptr;

// The folder is moved away and back. Each write asks for the text first, so its count tells that the write before it is
// over.
TEST_F(MetricsFileTest, WarnsOnceWhenItFailsAndTellsWhenItWorksAgain) {
  Events writes, warnings, recoveries;
  g_warnings = &warnings;
  g_recoveries = &recoveries;
  set_log_sink([](const LogRecord& record) {
    if (record.message.find("can't be written") != std::string_view::npos) g_warnings->happen();
    if (record.message.find("written again") != std::string_view::npos) g_recoveries->happen();
  });
  const std::string target = folder_ + "/in/m.prom";
  {
    const auto file = MetricsFile::start(target, std::chrono::seconds(3600), [&] {
      writes.happen();
      return std::string("x\n");
    });
    ASSERT_TRUE(file.has_value());
    ASSERT_TRUE(warnings.wait_for(1)) << "the folder is not there";
    (*file)->set_interval(std::chrono::seconds(0));
    ASSERT_TRUE(writes.wait_for(4)) << "it goes on trying";
    ASSERT_EQ(mkdir((folder_ + "/in").c_str(), 0700), 0);
    ASSERT_TRUE(recoveries.wait_for(1));
    EXPECT_EQ(content(target), "x\n");
    EXPECT_EQ(warnings.count(), 1);
  }
  set_log_sink(nullptr);
  EXPECT_FALSE(std::filesystem::exists(target)) << "a service that has ended has no figures";
}

TEST(ReloaderTest, ReloadsWheneverItIsAsked) {
  Events reloads;
  auto reloader = Reloader::start([&] { reloads.happen(); });
  ASSERT_TRUE(reloader.has_value());
  (*reloader)->request();
  ASSERT_TRUE(reloads.wait_for(1));
  (*reloader)->request();
  ASSERT_TRUE(reloads.wait_for(2));
}

TEST(ReloaderTest, DoesNotForgetARequestThatComesMeanwhile) {
  Events begun, go_on;
  auto reloader = Reloader::start([&] {
    begun.happen();
    EXPECT_TRUE(go_on.wait_for(1));
  });
  ASSERT_TRUE(reloader.has_value());
  (*reloader)->request();
  ASSERT_TRUE(begun.wait_for(1));
  for (int i = 0; i < 100; ++i) (*reloader)->request();
  go_on.happen();
  EXPECT_TRUE(begun.wait_for(2));
}

TEST(ReloaderTest, EndsWithoutReloading) {
  int reloads = 0;
  {
    ASSERT_TRUE(Reloader::start([&] { ++reloads; }).has_value());
  }
  EXPECT_EQ(reloads, 0);
}

}  // namespace
}  // namespace wvds::service
