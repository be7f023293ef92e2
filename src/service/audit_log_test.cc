#include "service/audit_log.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "service/testing/fake_clock.h"
#include "service/testing/memory_audit.h"
#include "service/testing/service_harness.h"

namespace wvds::service {
namespace {

using testing::Harness;
using testing::MemoryAudit;
using testing::Operation;
using Json = nlohmann::json;
using Events = std::vector<std::string>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

Json entry_of(const std::string& line) { return Json::parse(line.substr(line.find(' ') + 1)); }

Events events_of(const std::string& text) {
  Events events;
  for (const std::string& line : lines_of(text)) events.push_back(entry_of(line)["event"]);
  return events;
}

class Audit : public ::testing::Test {
 protected:
  std::unique_ptr<AuditLog> open(AuditHead known = {}) {
    AuditLog::Parts parts{.medium = medium_, .library = Harness::library(), .max_bytes = max_bytes_};
    parts.keep_head = [this](const AuditHead& head) {
      kept_ = head;
      ++times_kept_;
    };
    parts.now = [this] { return clock_.now(); };
    return AuditLog::open(std::move(parts), known);
  }

  // written is the head of a log of some entries, closed.
  AuditHead written(int entries) {
    const auto log = open();
    for (int i = 0; i < entries; ++i) log->add({.event = "key-delete", .key_id = static_cast<uint32_t>(i + 1)});
    return log->state().head;
  }

  // expect_set_aside opens the log and demands that it notices.
  void expect_set_aside(const AuditHead& known, const std::string& why) {
    const std::string before = medium_.current;
    const auto log = open(known);
    ASSERT_EQ(log->warnings().size(), 1u);
    EXPECT_NE(log->warnings()[0].find(why), std::string::npos) << log->warnings()[0];
    ASSERT_EQ(medium_.damaged.size(), 1u);
    EXPECT_EQ(medium_.damaged[0].second, before) << "the evidence stays as it was";
    EXPECT_EQ(events_of(medium_.current), Events{"audit-broken"});
    EXPECT_EQ(log->state().head.number, known.number + 1);
  }

  MemoryAudit medium_;
  FakeClock clock_;
  uint64_t max_bytes_ = 1 << 20;
  AuditHead kept_;
  int times_kept_ = 0;
};

TEST_F(Audit, BeginsWithAnEntryOfItsOwnAndTellsWhatHappened) {
  const auto log = open();
  log->add({.event = "key-delete",
            .status = Status::kDenied,
            .principal = "gateway",
            .session = 3,
            .key_id = 7,
            .detail = "not yours",
            .left_out = 2});
  ASSERT_EQ(events_of(medium_.current), (Events{"audit-begin", "key-delete"}));
  const Json entry = entry_of(lines_of(medium_.current)[1]);
  EXPECT_EQ(entry["n"], 2);
  EXPECT_EQ(entry["outcome"], status_name(Status::kDenied));
  EXPECT_EQ(entry["principal"], "gateway");
  EXPECT_EQ(entry["session"], 3);
  EXPECT_EQ(entry["key"], 7);
  EXPECT_EQ(entry["detail"], "not yours");
  EXPECT_EQ(entry["left_out"], 2);
}

TEST_F(Audit, GoesOnWhereItEnded) {
  const AuditHead head = written(3);
  const auto log = open(head);
  EXPECT_TRUE(log->warnings().empty());
  log->add({.event = "reload"});
  EXPECT_EQ(log->state().head.number, head.number + 1);
  ChainReader reader(Harness::library());
  for (const std::string& line : lines_of(medium_.current)) ASSERT_TRUE(reader.take(line).has_value()) << line;
  EXPECT_EQ(*reader.head(), log->state().head);
}

// The head that the store kept may be some entries old.
TEST_F(Audit, GoesOnFromAnOlderHead) {
  const AuditHead head = written(2);
  open(head)->add({.event = "reload"});
  EXPECT_TRUE(open(head)->warnings().empty());
}

TEST_F(Audit, NoticesAChangedEntry) {
  const AuditHead head = written(3);
  medium_.current[medium_.current.find("key-delete")] = 'K';
  expect_set_aside(head, "was changed");
}

// What can't be read was not changed: it stays where it is, and nothing is managed until it can.
TEST_F(Audit, LeavesALogThatItCantReadAsItIs) {
  const AuditHead head = written(3);
  const std::string before = medium_.current;
  medium_.unreadable = true;
  const auto log = open(head);
  log->add({.event = "denied"});
  EXPECT_FALSE(log->ready());
  ASSERT_EQ(log->warnings().size(), 1u);
  EXPECT_NE(log->warnings()[0].find("Input/output error"), std::string::npos) << log->warnings()[0];
  EXPECT_EQ(medium_.current, before);
  EXPECT_TRUE(medium_.damaged.empty());

  medium_.unreadable = false;
  ASSERT_TRUE(log->ready());
  log->add({.event = "reload"});
  EXPECT_TRUE(log->warnings().empty());
  EXPECT_EQ(medium_.current.substr(0, before.size()), before);
  EXPECT_EQ(events_of(medium_.current.substr(before.size())), (Events{"audit-resumed", "reload"}));
  EXPECT_TRUE(open(log->state().head)->warnings().empty());
}

TEST_F(Audit, LeavesALogAsItIsWhoseFormerFileItCantRead) {
  max_bytes_ = 1;
  const AuditHead head = written(1);
  {
    const auto log = open(head);
    for (int i = 0; i < 2; ++i) log->add({.event = "reload"});  // a file each
  }
  medium_.former_unreadable = true;
  const auto log = open(head);
  EXPECT_FALSE(log->ready());
  EXPECT_TRUE(medium_.damaged.empty());
  medium_.former_unreadable = false;
  EXPECT_TRUE(log->ready());
}

// While the evidence can't be moved away nothing is written behind it.
TEST_F(Audit, SetsAChangedLogAsideAsSoonAsItCan) {
  const AuditHead head = written(3);
  medium_.current[medium_.current.find("key-delete")] = 'K';
  const std::string before = medium_.current;
  medium_.full = true;
  const auto log = open(head);
  log->add({.event = "reload"});
  EXPECT_EQ(medium_.current, before);
  medium_.full = false;
  ASSERT_TRUE(log->ready());
  ASSERT_EQ(medium_.damaged.size(), 1u);
  EXPECT_EQ(medium_.damaged[0].second, before);
  EXPECT_EQ(events_of(medium_.current), (Events{"audit-broken", "audit-resumed"}));
}

TEST_F(Audit, NoticesARemovedEntry) {
  const AuditHead head = written(3);
  const std::string line = lines_of(medium_.current)[2] + "\n";
  medium_.current.erase(medium_.current.find(line), line.size());
  expect_set_aside(head, "has number 4 where 3 is next");
}

TEST_F(Audit, NoticesARemovedEnd) {
  const AuditHead head = written(3);
  medium_.current.resize(medium_.current.rfind('\n', medium_.current.size() - 2) + 1);
  expect_set_aside(head, "entries are missing at its end");
}

TEST_F(Audit, NoticesThatItIsGone) {
  const AuditHead head = written(3);
  medium_.current.clear();
  expect_set_aside(head, "is not there");
}

// Whoever can compute hashes can write a whole log; the head in the store is what it does not lead to.
TEST_F(Audit, NoticesThatItWasWrittenAnew) {
  const AuditHead head = written(3);
  medium_.current.clear();
  {
    const auto forged = open();
    for (int i = 0; i < 3; ++i) forged->add({.event = "reload"});
    EXPECT_EQ(forged->state().head.number, head.number);
  }
  expect_set_aside(head, "is not the one that was written");
}

TEST_F(Audit, NoticesWhatIsNoLogAtAll) {
  medium_.current = "something else\n";
  expect_set_aside({}, "is no line of an audit log");
}

TEST_F(Audit, CutsHalfALineOfAPowerCut) {
  const AuditHead head = written(2);
  const std::string whole = medium_.current;
  medium_.current += whole.substr(0, 30);
  const auto log = open(head);
  EXPECT_TRUE(log->warnings().empty());
  EXPECT_EQ(medium_.current, whole);
  log->add({.event = "reload"});
  EXPECT_TRUE(open(log->state().head)->warnings().empty());
}

TEST_F(Audit, BeginsANewFileThatFollowsTheOneBefore) {
  max_bytes_ = 1000;
  const auto log = open();
  for (int i = 0; i < 12; ++i) log->add({.event = "key-delete", .key_id = 1});
  ASSERT_GE(medium_.former.size(), 2u);
  ChainReader reader(Harness::library());
  std::vector<std::string> files = medium_.former;
  files.push_back(medium_.current);
  for (const std::string& file : files) {
    reader.begin_file();
    EXPECT_EQ(events_of(file)[0], "audit-begin");
    for (const std::string& line : lines_of(file)) ASSERT_TRUE(reader.take(line).has_value()) << line;
  }
  EXPECT_EQ(*reader.head(), log->state().head);
}

// The kept head may lie in the file before the current one.
TEST_F(Audit, LooksIntoTheFileBefore) {
  const AuditHead head = written(3);
  max_bytes_ = 1;  // the next entry begins a file
  open(head)->add({.event = "reload"});
  ASSERT_EQ(medium_.former.size(), 1u);
  const AuditHead older{.number = head.number - 1, .hash = {}};
  EXPECT_TRUE(open(head)->warnings().empty());
  expect_set_aside(older, "is not the one that was written");
}

TEST_F(Audit, CountsWhatCouldNotBeWrittenAndTellsIt) {
  const auto log = open();
  log->add({.event = "reload"});
  medium_.full = true;
  log->add({.event = "key-delete"});
  log->add({.event = "key-delete"});
  EXPECT_EQ(log->state().lost, 2u);
  ASSERT_EQ(log->warnings().size(), 1u);
  EXPECT_NE(log->warnings()[0].find("no space left"), std::string::npos);
  EXPECT_EQ(log->ready().error().status, Status::kStorageError);
  medium_.full = false;
  EXPECT_TRUE(log->ready().has_value());
  EXPECT_TRUE(log->warnings().empty());
  ASSERT_EQ(events_of(medium_.current), (Events{"audit-begin", "reload", "audit-resumed"}));
  EXPECT_EQ(entry_of(lines_of(medium_.current)[2])["detail"], "2 entries could not be written");
}

TEST_F(Audit, IsOnTheDiskWhereThatIsAskedFor) {
  const auto log = open();
  log->add({.event = "key-delete", .durable = true});
  EXPECT_EQ(medium_.durable_bytes, medium_.current.size());
  log->add({.event = "key-info", .status = Status::kDenied});
  EXPECT_LT(medium_.durable_bytes, medium_.current.size());
}

// Each time the store keeps the head costs a write of its index, which a client's failures must not bring about at
// will.
TEST_F(Audit, HandsItsHeadOnAtOnceForWhatIsDurableAndOtherwiseNowAndThen) {
  const auto log = open();
  log->add({.event = "key-delete", .durable = true});
  EXPECT_EQ(kept_, log->state().head);
  const int before = times_kept_;
  for (int i = 0; i < 100; ++i) log->add({.event = "key-info", .status = Status::kDenied});
  EXPECT_EQ(times_kept_, before);
  clock_.advance(std::chrono::minutes(2));
  log->add({.event = "key-info", .status = Status::kDenied});
  EXPECT_EQ(times_kept_, before + 1);
  EXPECT_EQ(kept_, log->state().head);
}

TEST_F(Audit, KeepsAClientsTextFromForgingALine) {
  const auto log = open();
  const std::string text = "a\nb\"}\x01\xff" + std::string(2000, 'x');
  log->add({.event = "key-import", .status = Status::kInvalidPayload, .detail = text});
  ASSERT_EQ(lines_of(medium_.current).size(), 2u);
  for (const char c : medium_.current) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << static_cast<int>(c);
  EXPECT_LT(lines_of(medium_.current)[1].size(), kMaxAuditLine);
  EXPECT_TRUE(open(log->state().head)->warnings().empty());
}

// What the service itself writes.
class AuditedService : public ::testing::Test {
 protected:
  Json last() { return entry_of(lines_of(harness_.audit().current).back()); }
  Events events() { return events_of(harness_.audit().current); }

  Harness harness_;
};

TEST_F(AuditedService, TellsItsStartAndItsStop) {
  EXPECT_EQ(last()["event"], "service-start");
  harness_.service().stop();
  EXPECT_EQ(last()["event"], "service-stop");
}

TEST_F(AuditedService, TellsEachManagementOfAStoredKeyDurably) {
  auto session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  EXPECT_EQ(last()["event"], "key-generate");
  EXPECT_EQ(last()["outcome"], status_name(Status::kSuccess));
  EXPECT_EQ(last()["principal"], "gateway");
  EXPECT_EQ(last()["key"], key);
  session.key_request(Operation::kKeyRotate, key);
  EXPECT_EQ(last()["event"], "key-rotate");
  session.key_request(Operation::kKeyRetire, key);
  EXPECT_EQ(last()["event"], "key-retire");
  session.version_request(Operation::kKeyDelete, key, 0);
  EXPECT_EQ(last()["event"], "key-delete");
  EXPECT_EQ(harness_.audit().durable_bytes, harness_.audit().current.size());
}

TEST_F(AuditedService, DoesNotTellWhatIsNoManagement) {
  auto session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm);
  const Events before = events();
  ASSERT_EQ(session.encrypt(key, "data").status, Status::kSuccess);
  EXPECT_EQ(events(), before);
}

TEST_F(AuditedService, TellsFailuresAndDenials) {
  auto session = harness_.open(testing::kReader);
  session.call(Operation::kKeyImport, {});
  EXPECT_EQ(last()["event"], "key-import");
  EXPECT_EQ(last()["outcome"], status_name(Status::kDenied));
  session.encrypt(12345, "data");
  EXPECT_EQ(last()["event"], "aes-encrypt");
  EXPECT_EQ(last()["outcome"], status_name(Status::kKeyNotFound));
}

TEST_F(AuditedService, TellsStrangers) {
  EXPECT_FALSE(harness_.try_open(99).has_value());
  EXPECT_EQ(last()["event"], "session");
  EXPECT_EQ(last()["outcome"], status_name(Status::kDenied));
}

TEST_F(AuditedService, TellsReloads) {
  ASSERT_TRUE(harness_.service().reload(testing::test_config()).has_value());
  EXPECT_EQ(last()["event"], "reload");
  harness_.service().note_failed_reload("config.json:1: is not JSON");
  EXPECT_EQ(last()["outcome"], status_name(Status::kInvalidArgument));
}

// A flood of failures, or of keys that last no longer than a session, must not push out what happened before.
TEST_F(AuditedService, LeavesOutAFloodAndCountsIt) {
  auto session = harness_.open();
  for (int i = 0; i < 500; ++i) session.encrypt(12345, "data");
  EXPECT_LT(events().size(), 100u);
  harness_.clock().advance(std::chrono::seconds(5));
  session.encrypt(12345, "data");
  EXPECT_GT(last()["left_out"], 400);
}

TEST_F(AuditedService, ManagesNothingThatItCanNotTell) {
  auto session = harness_.open();
  const uint32_t key = session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  harness_.audit().full = true;
  session.encrypt(12345, "data");  // finds out
  EXPECT_EQ(session.version_request(Operation::kKeyDelete, key, 0).status, Status::kStorageError);
  EXPECT_EQ(session.encrypt(key, "data").status, Status::kSuccess) << "what needs no entry goes on";
  harness_.audit().full = false;
  EXPECT_EQ(session.version_request(Operation::kKeyDelete, key, 0).status, Status::kSuccess);
}

TEST_F(AuditedService, GoesOnAfterARestartAndNoticesAChange) {
  harness_.open().generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  harness_.restart();
  EXPECT_TRUE(harness_.audit().damaged.empty());
  harness_.audit().current.resize(harness_.audit().current.find('\n') + 1);
  harness_.restart();
  EXPECT_EQ(harness_.audit().damaged.size(), 1u) << "the store remembers the end";
}

}  // namespace
}  // namespace wvds::service
