// The time of day jumps under a running service, and its monotonic clock is another than that of its clients.
#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iostream>
#include <thread>

#include "faults/bed.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

namespace wvds::test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

const Octets kPlaintext = {'t', 'i', 'm', 'e'};

uint32_t make_key_for_an_hour(wvds_session* session) {
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  wanted.flags = WVDS_KEY_REPLAY_WINDOW_OFF;
  wanted.not_before = static_cast<uint64_t>(std::time(nullptr)) - 3600;
  wanted.not_after = static_cast<uint64_t>(std::time(nullptr)) + 3600;
  uint32_t key = 0;
  EXPECT_EQ(wvds_key_generate(session, &key, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
  return key;
}

TEST(JumpingClock, EndsAndRevivesKeysWithDatesAndNothingElse) {
  FaultyDaemon daemon;
  ASSERT_TRUE(daemon->start());
  const Connection client(*daemon);
  const uint32_t dated = make_key_for_an_hour(client.get());
  uint32_t plain = 0;
  ASSERT_EQ(generate(client.get(), plain), WVDS_SUCCESS);
  Octets sealed, opened;
  ASSERT_EQ(encrypt(client.get(), dated, kPlaintext, sealed), WVDS_SUCCESS);
  for (const seconds offset : {seconds(hours(24)), -seconds(hours(24)), seconds(hours(24 * 365 * 70)),
                               -seconds(std::time(nullptr)), -seconds(2 * std::time(nullptr))}) {
    daemon.set_clock_offset(offset);
    Octets fresh;
    EXPECT_EQ(encrypt(client.get(), dated, kPlaintext, fresh), WVDS_KEY_NOT_VALID) << offset.count();
    EXPECT_EQ(encrypt(client.get(), plain, kPlaintext, fresh), WVDS_SUCCESS) << offset.count();
    uint32_t made = 0;
    EXPECT_EQ(generate(client.get(), made), WVDS_SUCCESS) << offset.count();
    daemon.set_clock_offset(seconds(0));
    EXPECT_EQ(encrypt(client.get(), dated, kPlaintext, fresh), WVDS_SUCCESS) << offset.count();
  }
  EXPECT_EQ(decrypt(client.get(), dated, sealed, opened), WVDS_SUCCESS);
  expect_whole_log(*daemon);
}

// Clients work while the clock jumps by up to twenty years either way, and the service is killed and comes back in
// another time.
TEST(JumpingClock, LosesNothingAndHoldsUpNobody) {
  constexpr int kJumpsInALife = 200;
  constexpr int64_t kFarthest = int64_t{20} * 365 * 86400;
  std::mt19937_64 random = new_random();
  FaultyDaemon daemon;
  ASSERT_TRUE(daemon->start());
  const Connection client(*daemon);
  uint32_t key = 0;
  ASSERT_EQ(generate(client.get(), key), WVDS_SUCCESS);
  Octets sealed, opened;
  ASSERT_EQ(encrypt(client.get(), key, kPlaintext, sealed), WVDS_SUCCESS);
  std::vector<uint32_t> made;
  for (int life = 0; life < rounds(3, 100) && !HasFailure(); ++life) {
    std::atomic<bool> jumps{true};
    std::thread user([&] {
      for (uint32_t fresh = 0; jumps;) {
        EXPECT_EQ(decrypt(client.get(), key, sealed, opened), WVDS_SUCCESS);
        EXPECT_EQ(encrypt(client.get(), key, kPlaintext, opened), WVDS_SUCCESS);
        if (made.size() >= 200 || generate(client.get(), fresh) != WVDS_SUCCESS) continue;
        made.push_back(fresh);
      }
    });
    for (int jump = 0; jump < kJumpsInALife; ++jump) {
      daemon.set_clock_offset(seconds(static_cast<int64_t>(random() % (2 * kFarthest)) - kFarthest));
      EXPECT_EQ(wvds_ping(Connection(*daemon).get()), WVDS_SUCCESS);
    }
    jumps = false;
    user.join();
    expect_whole_log(*daemon);
    daemon->kill();
    ASSERT_TRUE(daemon->start());
    ASSERT_EQ(wvds_reconnect(client.get(), WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
    for (const uint32_t stored : made) EXPECT_EQ(encrypt(client.get(), stored, kPlaintext, opened), WVDS_SUCCESS);
  }
  EXPECT_FALSE(made.empty());
}

// have_other_clock gives what this process starts from now on a monotonic clock that is ahead of its own by a century.
bool have_other_clock() {
  if (unshare(CLONE_NEWTIME) != 0) return false;
  std::ofstream offsets("/proc/self/timens_offsets");
  offsets << "monotonic 3153600000 0\nboottime 3153600000 0\n" << std::flush;
  return static_cast<bool>(offsets);
}

TEST(AnotherMonotonicClock, ThanThatOfItsClientsDoesNotMatterToTheService) {
  if (!have_other_clock()) GTEST_SKIP() << "NOT RUN: needs root, to make a time namespace";
  Daemon daemon;
  for (int life = 0; life < 2; ++life) {
    ASSERT_TRUE(daemon.start());
    const Connection client(daemon);
    uint32_t key = 0;
    EXPECT_EQ(generate(client.get(), key), WVDS_SUCCESS);
    Octets sealed, opened;
    for (int i = 0; i < 1000; ++i) {
      EXPECT_EQ(encrypt(client.get(), key, kPlaintext, sealed), WVDS_SUCCESS);
      EXPECT_EQ(decrypt(client.get(), key, sealed, opened), WVDS_SUCCESS);
    }
    EXPECT_EQ(daemon.stop(), 0);
  }
}

}  // namespace
}  // namespace wvds::test
