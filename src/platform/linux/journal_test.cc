#include "platform/linux/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "platform/linux/log_sink.h"

namespace wvds::platform {
namespace {

using Fields = std::map<std::string, std::string>;

// fields_of reads a message as journald does; empty when it is not well formed.
Fields fields_of(const std::string& message) {
  Fields fields;
  for (size_t at = 0; at < message.size();) {
    const size_t end = message.find_first_of("=\n", at);
    if (end == message.npos) return {};
    const std::string name = message.substr(at, end - at);
    size_t begin = end + 1;
    size_t length = 0;
    if (message[end] == '=') {
      length = message.find('\n', begin) - begin;
    } else {
      length = Reader(as_bytes(std::string_view(message).substr(begin))).u64();
      begin += sizeof(uint64_t);
    }
    if (begin + length >= message.size() || message[begin + length] != '\n') return {};
    if (!fields.emplace(name, message.substr(begin, length)).second) return {};
    at = begin + length + 1;
  }
  return fields;
}

Fields fields_of(LogLevel level, std::string_view line, std::string_view message, std::initializer_list<LogField> all) {
  return fields_of(journal_message({level, line, message, std::span(all.begin(), all.size())}));
}

TEST(JournalMessage, HasAFieldForEachOfTheRecords) {
  const Fields fields = fields_of(LogLevel::kWarning, "refused operation=AES_ENCRYPT key=7", "refused",
                                  {{"operation", "AES_ENCRYPT"}, {"key", 7}, {"status", "KEY_NOT_FOUND"}});
  EXPECT_EQ(fields, (Fields{{"MESSAGE", "refused operation=AES_ENCRYPT key=7"},
                            {"PRIORITY", "4"},
                            {"SYSLOG_IDENTIFIER", "platform_daemon_test"},
                            {"WVDS_EVENT", "refused"},
                            {"WVDS_OPERATION", "AES_ENCRYPT"},
                            {"WVDS_KEY_ID", "7"},
                            {"WVDS_STATUS", "KEY_NOT_FOUND"}}));
}

TEST(JournalMessage, LetsNoValueAddAField) {
  const Fields fields = fields_of(LogLevel::kInfo, "x", "x", {{"label", "a\nPRIORITY=0\n_UID=0"}});
  EXPECT_EQ(fields.at("WVDS_LABEL"), "a\nPRIORITY=0\n_UID=0");
  EXPECT_EQ(fields.at("PRIORITY"), "6");
  EXPECT_FALSE(fields.contains("_UID"));
}

TEST(JournalMessage, CutsWhatIsTooLong) {
  const std::string endless(100'000, 'x');
  const Fields fields = fields_of(LogLevel::kInfo, endless, "m", {{"detail", endless}, {"status", "OK"}});
  EXPECT_EQ(fields.at("MESSAGE").size(), 2048u);
  EXPECT_EQ(fields.at("WVDS_DETAIL").size(), 2048u);
  EXPECT_EQ(fields.at("WVDS_STATUS"), "OK");
}

TEST(JournalMessage, StaysBelowWhatADatagramMayBe) {
  std::vector<LogField> fields;
  for (int i = 0; i < 1000; ++i) fields.emplace_back("detail", std::string(1000, 'x'));
  EXPECT_LE(journal_message({LogLevel::kInfo, "l", "m", fields}).size(), 32768u);
}

TEST(JournalMessage, LeavesOutWhatIsEmpty) {
  EXPECT_FALSE(fields_of(LogLevel::kInfo, "l", "m", {{"detail", ""}}).contains("WVDS_DETAIL"));
}

// FakeJournald receives what is sent to its socket.
class FakeJournald {
 public:
  explicit FakeJournald(const std::string& path) : path_(path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~FakeJournald() { unlink(path_.c_str()); }
  FakeJournald(const FakeJournald&) = delete;
  FakeJournald& operator=(const FakeJournald&) = delete;

  Fields receive() const {
    std::string buffer(65536, '\0');
    const ssize_t length = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    return length < 0 ? Fields{} : fields_of(buffer.substr(0, static_cast<size_t>(length)));
  }

 private:
  std::string path_;
  UniqueFd socket_;
};

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "wvds-XXXXXX").string();
    EXPECT_NE(mkdtemp(pattern.data()), nullptr);
    path_ = pattern;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

TEST(Journal, SaysWhenNobodyTakesARecord) {
  const Folder folder;
  Journal journal(folder / "socket");
  EXPECT_FALSE(journal.send({LogLevel::kInfo, "l", "m", {}}));
  EXPECT_FALSE(Journal(std::string(200, 'x')).send({LogLevel::kInfo, "l", "m", {}})) << "no address";
}

TEST(Journal, FindsAJournaldThatWasRestarted) {
  const Folder folder;
  Journal journal(folder / "socket");
  {
    const FakeJournald first(folder / "socket");
    EXPECT_TRUE(journal.send({LogLevel::kInfo, "one", "m", {}}));
    EXPECT_EQ(first.receive()["MESSAGE"], "one");
  }
  EXPECT_FALSE(journal.send({LogLevel::kInfo, "two", "m", {}}));
  const FakeJournald second(folder / "socket");
  EXPECT_TRUE(journal.send({LogLevel::kInfo, "three", "m", {}}));
  EXPECT_EQ(second.receive()["MESSAGE"], "three");
}

TEST(Journal, DoesNotWaitForOneThatDoesNotRead) {
  const Folder folder;
  const FakeJournald asleep(folder / "socket");
  Journal journal(folder / "socket");
  int sent = 0;
  while (sent < 1'000'000 && journal.send({LogLevel::kInfo, "line", "m", {}})) ++sent;
  EXPECT_LT(sent, 1'000'000);
}

// The log of this process as systemd sets it up: standard error is a file that JOURNAL_STREAM names.
class JournaledLog : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = folder_ / "stderr";
    saved_.reset(dup(STDERR_FILENO));
    const UniqueFd out(open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    ASSERT_EQ(dup2(out.get(), STDERR_FILENO), STDERR_FILENO);
    struct stat facts{};
    ASSERT_EQ(fstat(STDERR_FILENO, &facts), 0);
    name_stream(facts.st_ino);
  }
  void TearDown() override {
    set_log_sink(nullptr);
    dup2(saved_.get(), STDERR_FILENO);
    unsetenv("JOURNAL_STREAM");
  }
  void name_stream(ino_t inode) {
    struct stat facts{};
    ASSERT_EQ(fstat(STDERR_FILENO, &facts), 0);
    const std::string stream = std::to_string(facts.st_dev) + ":" + std::to_string(inode);
    setenv("JOURNAL_STREAM", stream.c_str(), 1);
  }
  std::string written() const {
    std::ifstream file(file_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  Folder folder_;
  std::string file_;
  UniqueFd saved_;
};

TEST_F(JournaledLog, GoesToJournaldWithItsFields) {
  const FakeJournald journald(folder_ / "socket");
  start_logging(LogLevel::kInfo, (folder_ / "socket").c_str());
  log_warning("refused", {{"principal", "gateway"}, {"session", 3}});
  Fields fields = journald.receive();
  EXPECT_EQ(fields["MESSAGE"], "refused principal=gateway session=3");
  EXPECT_EQ(fields["WVDS_PRINCIPAL"], "gateway");
  EXPECT_EQ(fields["WVDS_SESSION"], "3");
  EXPECT_EQ(written(), "") << "not twice";
}

TEST_F(JournaledLog, GoesToStandardErrorWithPrioritiesWithoutJournald) {
  start_logging(LogLevel::kInfo, (folder_ / "socket").c_str());
  log_warning("refused", {{"principal", "gateway"}});
  EXPECT_EQ(written(), "<4>refused principal=gateway\n");
}

TEST_F(JournaledLog, IsForPeopleWhereStandardErrorWasRedirected) {
  const FakeJournald journald(folder_ / "socket");
  name_stream(1);
  start_logging(LogLevel::kInfo, (folder_ / "socket").c_str());
  log_warning("refused", {{"principal", "gateway"}});
  EXPECT_NE(written().find("Z warning: refused principal=gateway\n"), std::string::npos) << written();
  EXPECT_TRUE(journald.receive().empty());
}

}  // namespace
}  // namespace wvds::platform
