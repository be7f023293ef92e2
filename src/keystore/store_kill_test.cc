#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <set>

#include "keystore/file/file_protector.h"
#include "keystore/folder_medium.h"
#include "keystore/store.h"
#include "keystore/testing/kill_messages.h"
#include "keystore/testing/store_bed.h"

// A process that works on a store is killed at random instants; what it acknowledged must be there each time. (What a
// power cut does is store_crash_test.cc's matter: SIGKILL leaves the page cache alone.)
namespace wvds::keystore {
namespace {

namespace fs = std::filesystem;
using testing::KillMessage;
using testing::KillStep;
using testing::library;

struct Version {
  uint32_t number = 0;
  uint64_t fingerprint = 0;
};

// Ledger is what all children together acknowledged.
struct Ledger {
  std::map<uint32_t, Version> newest;
  std::map<std::pair<uint32_t, uint32_t>, uint64_t> uses;
  std::set<uint32_t> deleted;
  std::set<uint32_t> issued;
  std::optional<KillMessage> under_way;
  size_t acknowledged = 0;

  void add(const KillMessage& message) {
    if (message.acknowledged == 0) {
      under_way = message;
      return;
    }
    if (message.step != KillStep::kUse && message.step != KillStep::kGenerateInMemory) under_way.reset();
    ++acknowledged;
    const Version version{message.version, message.fingerprint};
    switch (message.step) {
      case KillStep::kGenerate:
      case KillStep::kGenerateInMemory:
        EXPECT_TRUE(issued.insert(message.id).second) << "id " << message.id << " was used again";
        if (message.step == KillStep::kGenerate) newest[message.id] = version;
        break;
      case KillStep::kRotate: newest[message.id] = version; break;
      case KillStep::kRetire: break;
      case KillStep::kRemove:
        newest.erase(message.id);
        deleted.insert(message.id);
        break;
      case KillStep::kUse: uses[{message.id, message.version}] = message.uses; break;
    }
  }
};

fs::path work_folder() {
  // Not the disk but the process is tested: a file system in memory saves hours of syncing.
  std::error_code none;
  const fs::path base =
      fs::is_directory("/dev/shm", none) && ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : fs::temp_directory_path();
  std::string pattern = (base / "wvds-kill-XXXXXX").string();
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  return pattern;
}

struct Child {
  pid_t pid = -1;
  int pipe = -1;
};

Child start_child(const fs::path& folder, uint64_t seed) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const std::string folder_text = folder.string(), seed_text = std::to_string(seed);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::execl(WVDS_KILL_CHILD, WVDS_KILL_CHILD, folder_text.c_str(), seed_text.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

// read_message returns false at the pipe's end; messages are written whole.
bool read_message(int pipe, KillMessage& message) {
  const ssize_t size = ::read(pipe, &message, sizeof message);
  EXPECT_TRUE(size == 0 || size == sizeof message);
  return size == sizeof message;
}

// live_and_die lets a child work for some messages and a random moment more, kills it and takes in everything it said.
void live_and_die(const fs::path& folder, std::mt19937_64& random, Ledger& ledger) {
  const Child child = start_child(folder, random());
  KillMessage message;
  for (uint64_t left = 1 + random() % 40; left > 0 && read_message(child.pipe, message); --left) ledger.add(message);
  const auto moment = std::chrono::steady_clock::now() + std::chrono::nanoseconds(random() % 1'000'000);
  while (std::chrono::steady_clock::now() < moment) continue;
  ASSERT_EQ(::kill(child.pid, SIGKILL), 0);
  while (read_message(child.pipe, message)) ledger.add(message);
  ::close(child.pipe);
  int status = 0;
  ASSERT_EQ(::waitpid(child.pid, &status, 0), child.pid);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the child ended by itself: " << status;
}

void expect_key(Store& store, uint32_t id, const Version& expected, const Ledger& ledger) {
  const auto found = store.find("alice", 1, id);
  const bool touched = ledger.under_way && ledger.under_way->id == id;
  if (!found && touched && ledger.under_way->step == KillStep::kRemove) return;
  ASSERT_TRUE(found.has_value()) << "key " << id << " is gone: " << found.error().detail;
  bool seen = false;
  for (const auto& version : found->key->versions()) {
    const auto uses = ledger.uses.find({id, version->number()});
    if (uses != ledger.uses.end()) {
      EXPECT_GE(version->uses(), uses->second);
    }
    if (version->number() != expected.number) continue;
    seen = true;
    EXPECT_EQ(std::memcmp(version->aes_key().data(), &expected.fingerprint, sizeof expected.fingerprint), 0);
  }
  EXPECT_TRUE(seen) << "key " << id << " version " << expected.number << " is gone";
}

// check reopens the store; what was under way is settled by it for good.
void check(const fs::path& folder, Ledger& ledger) {
  auto medium = open_folder_medium(platform::open_disk((folder / "store").string()));
  ASSERT_TRUE(medium.has_value()) << medium.error().detail;
  auto protector = make_key_file_protector(file_name((folder / "key").string()));
  StoreOptions options;
  options.background = false;
  auto store = Store::open(**medium, *protector, library(), StoreConfig{},
                           {Principal{.name = "alice", .limits = {}, .grants = {}}}, options);
  ASSERT_TRUE(store.has_value()) << store.error().detail;
  EXPECT_TRUE((*store)->warnings().empty()) << (*store)->warnings().front();
  for (const auto& [id, version] : ledger.newest) expect_key(**store, id, version, ledger);
  for (const uint32_t id : ledger.deleted) EXPECT_FALSE((*store)->find("alice", 1, id)) << "key " << id << " came back";
  const auto under_way = std::exchange(ledger.under_way, std::nullopt);
  if (!under_way || under_way->id == 0) return;
  const auto found = (*store)->find("alice", 1, under_way->id);
  if (found) return;
  ledger.newest.erase(under_way->id);
  ledger.deleted.insert(under_way->id);
}

TEST(KilledStore, HasEverythingItAcknowledgedEachTime) {
  const bool is_long = std::getenv("WVDS_LONG") != nullptr;
  const int kills = is_long ? 5000 : 300;
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", std::to_string(seed));
  std::cout << "seed " << seed << '\n';
  std::mt19937_64 random(seed);
  const fs::path folder = work_folder();
  Ledger ledger;
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    live_and_die(folder, random, ledger);
    check(folder, ledger);
  }
  EXPECT_GT(ledger.acknowledged, static_cast<size_t>(kills)) << "the children hardly worked";
  EXPECT_GT(ledger.deleted.size(), static_cast<size_t>(kills) / 20);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace wvds::keystore
