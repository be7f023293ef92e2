// Clients that die in the middle, flood, or do not let go.
#include <grp.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "channel/linux/testing/child_process.h"
#include "service/bystander.h"
#include "service/hostile_session.h"

namespace wvds::test {
namespace {

using channel::testing::ChildProcess;
using channel::testing::Pipe;
using protocol::Operation;

const Octets kMuchRandom = frame_of(Operation::kRandom, Octets{std::byte{0}, std::byte{0}, std::byte{1}, std::byte{0}});

// work_on keeps every slot of a session busy, for good, and tells when the first answer was there.
void work_on(const Daemon& daemon, Pipe& pipe) {
  HostileSession session(daemon);
  for (uint32_t slot = 0; slot < session.region().slot_count(); ++slot) session.fill(slot, kMuchRandom);
  for (uint64_t round = 0;; ++round) {
    for (uint32_t slot = 0; slot < session.region().slot_count(); ++slot) session.submit(slot);
    if (!session.await(0)) return;
    if (round == 0) pipe.tell();
  }
}

TEST(HostileProcess, DyingInTheMiddleOfItsRequestsHurtsNobodyElse) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  Bystander bystander(daemon);
  for (int round = 0; round < 25; ++round) {
    Pipe pipe;
    ChildProcess victim([&] { work_on(daemon, pipe); });
    ASSERT_TRUE(pipe.told());
    bystander.check();
    victim.kill_now();
    bystander.check();
  }
  EXPECT_TRUE(reached([&] { return bystander.sessions() == 1; }));
  EXPECT_EQ(daemon.stop(), 0);
}

TEST(HostileProcess, DyingDuringSetUpHurtsNobodyElse) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  Bystander bystander(daemon);
  for (int round = 0; round < 50; ++round) {
    channel::testing::RawClient client(daemon.socket_path());
    if (round % 3 > 0) {
      ASSERT_TRUE(client.say(channel::SetupType::kHello));
    }
    if (round % 3 > 1) {
      ASSERT_TRUE(client.hear());
    }
  }
  bystander.check();
  EXPECT_TRUE(reached([&] { return bystander.sessions() == 1; }));
  EXPECT_EQ(daemon.stop(), 0);
}

TEST(HostileProcess, HoldingAllSessionsIsToldThatThereAreNoMore) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  Bystander bystander(daemon);
  {
    std::vector<std::unique_ptr<Connection>> held;
    for (int i = 0; i < 63; ++i) {
      held.push_back(std::make_unique<Connection>(daemon));
      ASSERT_EQ(held.back()->status(), WVDS_SUCCESS) << i;
    }
    EXPECT_EQ(Connection(daemon).status(), WVDS_LIMIT_REACHED);
    bystander.check();
  }
  EXPECT_TRUE(reached([&] { return bystander.sessions() == 1; }));
  EXPECT_EQ(Connection(daemon).status(), WVDS_SUCCESS);
  EXPECT_EQ(daemon.stop(), 0);
}

constexpr uint32_t kFlooder = 54'321;

// flood_as_another_user sends requests without end and without looking at the answers' statuses, as another principal.
void flood_as_another_user(const Daemon& daemon, Pipe& pipe) {
  if (setgroups(0, nullptr) != 0 || setresgid(kFlooder, kFlooder, kFlooder) != 0 ||
      setresuid(kFlooder, kFlooder, kFlooder) != 0)
    return;
  work_on(daemon, pipe);
}

TEST(HostileProcess, FloodingMeetsItsOwnRateLimitAndNobodyElses) {
  if (getuid() != 0) GTEST_SKIP() << "NOT RUN: needs root, for a client of another user";
  const std::string flooder =
      R"({"name": "flooder", "uid": )" + std::to_string(kFlooder) + R"(, "operations": ["random"]})";
  Daemon daemon({.fips = "", .clients = this_user_may_all() + ", " + flooder});
  ASSERT_TRUE(daemon.start());
  Bystander bystander(daemon);
  Pipe pipe;
  ChildProcess child([&] { flood_as_another_user(daemon, pipe); });
  ASSERT_TRUE(pipe.told());
  for (int round = 0; round < 300; ++round) bystander.check();
  EXPECT_TRUE(reached([&] {
    return daemon.log().find("principal=flooder") != std::string::npos &&
           daemon.log().find("RATE_LIMITED") != std::string::npos;
  }));
  child.kill_now();
  EXPECT_TRUE(reached([&] { return bystander.sessions() == 1; }));
  EXPECT_EQ(daemon.stop(), 0);
}

// Another principal can neither use a key nor learn that it is there.
TEST(HostileProcess, OfAnotherUserFindsNoKeys) {
  if (getuid() != 0) GTEST_SKIP() << "NOT RUN: needs root, for a client of another user";
  const std::string other =
      R"({"name": "other", "uid": )" + std::to_string(kFlooder) + R"(, "operations": )" + all_operations() + "}";
  Daemon daemon({.fips = "", .clients = this_user_may_all() + ", " + other});
  ASSERT_TRUE(daemon.start());
  const Connection owner(daemon);
  wvds_key_template wanted{};
  wanted.algorithm = WVDS_AES_256_GCM;
  uint32_t key = 0;
  ASSERT_EQ(wvds_key_generate(owner.get(), &key, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
  ChildProcess child([&] {
    ASSERT_EQ(setgroups(0, nullptr), 0);
    ASSERT_EQ(setresgid(kFlooder, kFlooder, kFlooder), 0);
    ASSERT_EQ(setresuid(kFlooder, kFlooder, kFlooder), 0);
    const Connection thief(daemon);
    ASSERT_EQ(thief.status(), WVDS_SUCCESS);
    wvds_key_details details{};
    for (uint32_t id = 0; id < key + 10; ++id) EXPECT_EQ(wvds_key_info(thief.get(), &details, id), WVDS_KEY_NOT_FOUND);
    EXPECT_EQ(wvds_key_delete(thief.get(), key, 0), WVDS_KEY_NOT_FOUND);
  });
  EXPECT_EQ(child.wait_for_end(), 0);
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(owner.get(), &details, key), WVDS_SUCCESS);
}

}  // namespace
}  // namespace wvds::test
