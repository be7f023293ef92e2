// The store's disk full, read-only or failing under a service that serves: what needs no writing goes on, what can't be
// stored is refused and not half done, and nothing that was acknowledged is lost.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include "faults/bed.h"

namespace wvds::test {
namespace {

const Octets kPlaintext = {'k', 'e', 'p', 't'};

// Trouble is one kind of it; `begin` and `end` make and mend it. After a failed sync of the folder nobody knows what is
// on the disk, so the service takes no further change until it is started again.
struct Trouble {
  const char* name;
  const char* cause;        // in the log; empty where that can't be written either
  bool needs_disk = false;  // the store is on a file system of its own
  bool needs_restart = false;
  wvds_status session = WVDS_SUCCESS;  // what a client gets that connects meanwhile
  std::function<void(FaultyDaemon&)> begin;
  std::function<void(FaultyDaemon&)> end;
};
void PrintTo(const Trouble& trouble, std::ostream* out) { *out << trouble.name; }

Trouble failing(const char* name, wvds_fault_kind kind, int error, bool needs_restart = false) {
  return {.name = name,
          .cause = error == ENOSPC ? "No space left" : "Input/output error",
          .needs_restart = needs_restart,
          .begin = [=](FaultyDaemon& daemon) { daemon.fail(kind, error); },
          .end = [](FaultyDaemon& daemon) { EXPECT_GT(daemon.heal(), 0); }};
}

// A disk of 4 MB in a file beside the store's folder. It ends with the mounts of this process.
bool run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

bool mount_disk(FaultyDaemon& daemon) {
  return run("mount -o loop,errors=remount-ro " + daemon->path("disk") + " " + daemon->path("store"));
}

bool make_disk(FaultyDaemon& daemon) {
  const std::string image = daemon->path("disk"), folder = daemon->path("store");
  return mkdir(folder.c_str(), 0700) == 0 && run("truncate -s 4M " + image) && run("mkfs.ext4 -q -m 0 " + image) &&
         mount_disk(daemon) && chmod(folder.c_str(), 0700) == 0;
}

std::string ballast(FaultyDaemon& daemon) { return daemon->path("store/ballast"); }

void fill(FaultyDaemon& daemon) {
  const platform::UniqueFd file(open(ballast(daemon).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  const Octets block(512);
  while (write(file.get(), block.data(), block.size()) > 0) continue;
  EXPECT_EQ(errno, ENOSPC);
}

void empty(FaultyDaemon& daemon) { EXPECT_EQ(unlink(ballast(daemon).c_str()), 0); }

// break_disk lets the file system find an error, after which it is read-only (errors=remount-ro).
void break_disk(FaultyDaemon& daemon) {
  struct stat facts{};
  EXPECT_EQ(stat(daemon->path("store").c_str(), &facts), 0);
  const std::string number = std::to_string(major(facts.st_dev)) + ":" + std::to_string(minor(facts.st_dev));
  const std::string device = std::filesystem::read_symlink("/sys/dev/block/" + number).filename();
  std::ofstream("/sys/fs/ext4/" + device + "/trigger_fs_error") << "made to fail\n";
}

void repair_disk(FaultyDaemon& daemon) {
  EXPECT_EQ(umount(daemon->path("store").c_str()), 0);
  EXPECT_TRUE(mount_disk(daemon));
}

void limit_files(FaultyDaemon& daemon, rlim_t bytes) {
  const rlimit limit{bytes, RLIM_INFINITY};
  EXPECT_EQ(prlimit(daemon->pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
}

std::vector<Trouble> troubles() {
  return {
      {.name = "DiskFull", .cause = "No space left", .needs_disk = true, .begin = fill, .end = empty},
      {.name = "DiskReadOnly",
       .cause = "Read-only",
       .needs_disk = true,
       .needs_restart = true,
       .begin = break_disk,
       .end = repair_disk},
      {.name = "FilesOfNoSize",
       .cause = "",
       .session = WVDS_LIMIT_REACHED,
       .begin = [](FaultyDaemon& daemon) { limit_files(daemon, 0); },
       .end = [](FaultyDaemon& daemon) { limit_files(daemon, RLIM_INFINITY); }},
      failing("NoFileCanBeMade", WVDS_FAULT_CREATE, ENOSPC),
      failing("WritesFail", WVDS_FAULT_WRITE, EIO),
      failing("RenamesFail", WVDS_FAULT_RENAME, EIO),
      failing("SyncsFail", WVDS_FAULT_SYNC, EIO, true),
  };
}

class StoreInTrouble : public testing::TestWithParam<Trouble> {
 protected:
  void SetUp() override {
    if (GetParam().needs_disk && !have_own_mounts()) GTEST_SKIP() << "NOT RUN: needs root, to mount a disk";
    if (GetParam().needs_disk && !make_disk(daemon_)) GTEST_SKIP() << "NOT RUN: no loop device, or no mkfs.ext4";
    ASSERT_TRUE(daemon_->start());
  }
  void TearDown() override {
    daemon_->kill();
    if (GetParam().needs_disk) umount2(daemon_->path("store").c_str(), MNT_DETACH);
  }

  void expect_usable(wvds_session* session, uint32_t key, const Octets& sealed) {
    Octets opened, again;
    EXPECT_EQ(decrypt(session, key, sealed, opened), WVDS_SUCCESS);
    EXPECT_EQ(opened, kPlaintext);
    EXPECT_EQ(encrypt(session, key, kPlaintext, again), WVDS_SUCCESS);
  }

  bool log_names_cause_and_file() {
    if (GetParam().cause[0] == 0) return true;
    std::istringstream log(daemon_->log());
    for (std::string line; std::getline(log, line);) {
      if (line.find(GetParam().cause) != line.npos && line.find(daemon_->path("store/")) != line.npos) return true;
    }
    return false;
  }

  FaultyDaemon daemon_;
};

TEST_P(StoreInTrouble, ServesWhatNeedsNoWritingAndRecovers) {
  const Connection client(*daemon_);
  wvds_session* session = client.get();
  uint32_t key = 0, doomed = 0, signer = 0, refused = 0;
  Octets sealed, signature;
  ASSERT_EQ(generate(session, key), WVDS_SUCCESS);
  ASSERT_EQ(generate(session, doomed), WVDS_SUCCESS);
  ASSERT_EQ(generate(session, signer, WVDS_MLDSA_44), WVDS_SUCCESS);
  ASSERT_EQ(encrypt(session, key, kPlaintext, sealed), WVDS_SUCCESS);
  ASSERT_EQ(wvds_key_delete(session, doomed, 0), WVDS_SUCCESS);

  GetParam().begin(daemon_);
  EXPECT_EQ(generate(session, refused), WVDS_STORAGE_ERROR);
  EXPECT_EQ(rotate(session, key), WVDS_STORAGE_ERROR);
  EXPECT_EQ(wvds_key_retire(session, key), WVDS_STORAGE_ERROR);
  expect_usable(session, key, sealed);
  EXPECT_EQ(sign(session, signer, kPlaintext, signature), WVDS_SUCCESS);
  EXPECT_TRUE(log_names_cause_and_file()) << "the log does not say why and where";
  const Connection another(*daemon_);  // whose memory is a file, too
  EXPECT_EQ(another.status(), GetParam().session) << wvds_status_name(another.status());

  if (GetParam().needs_restart) {
    EXPECT_EQ(daemon_->stop(), 0);
  }
  GetParam().end(daemon_);
  if (GetParam().needs_restart) {
    ASSERT_TRUE(daemon_->start());
    ASSERT_EQ(wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  }
  uint32_t made = 0;
  EXPECT_TRUE(reached([&] { return generate(session, made) == WVDS_SUCCESS; })) << "it does not recover";
  EXPECT_EQ(rotate(session, key), WVDS_SUCCESS);
  expect_usable(session, key, sealed);

  daemon_->kill();
  ASSERT_TRUE(daemon_->start());
  ASSERT_EQ(wvds_reconnect(session, WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  expect_usable(session, key, sealed);
  EXPECT_EQ(verify(session, signer, kPlaintext, signature), WVDS_SUCCESS);
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(session, &details, made), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_info(session, &details, doomed), WVDS_KEY_NOT_FOUND);
  expect_whole_log(*daemon_);
}

INSTANTIATE_TEST_SUITE_P(By, StoreInTrouble, testing::ValuesIn(troubles()),
                         [](const auto& test) { return test.param.name; });

// Failure is one call that fails once.
struct Failure {
  const char* name;
  wvds_fault_kind kind;
};
void PrintTo(const Failure& failure, std::ostream* out) { *out << failure.name; }

class OneFailingCall : public testing::TestWithParam<Failure> {};

// Work is one of each change of a stored key; what was acknowledged is noted.
struct Work {
  uint32_t key = 0, other = 0, signer = 0;
  Octets sealed, signature;
  bool is_retired = false, is_deleted = false;
  size_t failures = 0;

  void run(wvds_session* session) {
    note(generate(session, key));
    if (key != 0) note(encrypt(session, key, kPlaintext, sealed));
    note(generate(session, signer, WVDS_MLDSA_44));
    if (signer != 0) note(sign(session, signer, kPlaintext, signature));
    if (key != 0) note(rotate(session, key));
    if (key != 0) (void)wvds_key_delete(session, key, 99);  // refused: there is none
    note(generate(session, other));
    if (signer != 0) is_retired = note(wvds_key_retire(session, signer));
    if (other != 0) is_deleted = note(wvds_key_delete(session, other, 0));
  }

  bool note(wvds_status status) {
    EXPECT_TRUE(status == WVDS_SUCCESS || status == WVDS_STORAGE_ERROR) << wvds_status_name(status);
    failures += status != WVDS_SUCCESS;
    return status == WVDS_SUCCESS;
  }

  void compare(wvds_session* session) const {
    Octets opened;
    if (!sealed.empty()) {
      EXPECT_EQ(decrypt(session, key, sealed, opened), WVDS_SUCCESS);
    }
    if (!signature.empty()) {
      EXPECT_EQ(verify(session, signer, kPlaintext, signature), WVDS_SUCCESS);
    }
    if (is_retired) {
      EXPECT_EQ(sign(session, signer, kPlaintext, opened), WVDS_WRONG_KEY_USAGE);
    }
    wvds_key_details details{};
    if (is_deleted) {
      EXPECT_EQ(wvds_key_info(session, &details, other), WVDS_KEY_NOT_FOUND);
    }
  }
};

// The in-memory disks of the unit tests fail at every step; here it is the real disk's code, every one of its calls in
// the long form, some chosen by chance in the short one.
TEST_P(OneFailingCall, LosesNothingAcknowledgedWhicheverItIs) {
  std::mt19937_64 random = new_random();
  int64_t failed = 1, tried = 0;
  for (int64_t call = 0; failed > 0 && !HasFailure(); call += is_long() ? 1 : 1 + static_cast<int64_t>(random() % 9)) {
    FaultyDaemon daemon;
    ASSERT_TRUE(daemon->start());
    const Connection client(*daemon);
    daemon.fail(GetParam().kind, EIO, call, 1);
    Work work;
    work.run(client.get());
    failed = daemon.heal();
    EXPECT_TRUE(daemon->running());
    daemon->kill();
    ASSERT_TRUE(daemon->start());
    const Connection after(*daemon);
    work.compare(after.get());
    uint32_t key = 0;
    EXPECT_EQ(generate(after.get(), key), WVDS_SUCCESS);
    expect_whole_log(*daemon);
    tried += failed;
  }
  EXPECT_GT(tried, 0);
  std::cout << tried << " calls failed, each in a life of its own\n";
}

INSTANTIATE_TEST_SUITE_P(Of, OneFailingCall,
                         testing::Values(Failure{"Create", WVDS_FAULT_CREATE}, Failure{"Write", WVDS_FAULT_WRITE},
                                         Failure{"Sync", WVDS_FAULT_SYNC}, Failure{"Rename", WVDS_FAULT_RENAME},
                                         Failure{"Unlink", WVDS_FAULT_UNLINK}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace wvds::test
