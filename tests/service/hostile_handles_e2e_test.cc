// Sessions, keys and messages of others, and one's own of before: replayed, guessed, kept.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "protocol/aes_messages.h"
#include "service/attacks.h"
#include "service/busy_bystander.h"
#include "service/hostile_session.h"
#include "support/service_sample.h"

namespace wvds::test {
namespace {

using channel::testing::ChildProcess;
using channel::testing::RawClient;
using protocol::Operation;

Octets with_id(uint32_t id, Bytes rest) {
  Octets out(4);
  for (size_t i = 0; i < 4; ++i) out[i] = static_cast<std::byte>(id >> (8 * i));
  return joined({out, rest});
}

class HostileHandles : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(daemon_.start());
    bystander_.emplace(daemon_);
    ASSERT_TRUE(bystander_->serves(20));
  }
  void TearDown() override {
    if (!bystander_) return;
    EXPECT_TRUE(bystander_->serves(20));
    EXPECT_TRUE(bystander_->finish());
    EXPECT_EQ(daemon_.stop(), 0);
  }

  static DaemonOptions options() {
    DaemonOptions options;
    options.clients = this_user_may_all() + ", " + attacker(kAsOftenAsItLikes);
    return options;
  }

  Daemon daemon_{options()};
  std::optional<BusyBystander> bystander_;
};

// The memory of a session that ended is still the client's. Nobody serves it any more, also not a session that came
// after.
TEST_F(HostileHandles, ARegionOfAnEndedSessionIsServedByNobody) {
  HostileSession ended(daemon_);
  ASSERT_EQ(ended.call(frame_of(Operation::kPing, {})).status, Status::kSuccess);
  const uint64_t threads = sample_of(daemon_.pid()).threads;
  ended.client().hang_up();
  ASSERT_TRUE(reached([&] { return sample_of(daemon_.pid()).threads < threads; }));
  HostileSession next(daemon_);
  const channel::Word answered = channel::load(ended.region().slot(0).answer_word);
  ended.fill(0, frame_of(Operation::kPing, {}));
  for (int i = 0; i < 100; ++i) {
    ended.submit(0);
    ended.ring();
    ASSERT_EQ(next.call(frame_of(Operation::kPing, {})).status, Status::kSuccess);
  }
  EXPECT_EQ(channel::load(ended.region().slot(0).answer_word), answered);
}

// Another session's keys, of the same client, are not this one's: neither while it lives nor after.
TEST_F(HostileHandles, KeysOfAnotherSessionAreNotThere) {
  auto other = std::make_unique<Connection>(daemon_);
  const uint32_t key = make_key(*other, WVDS_LIFETIME_SESSION);
  const Connection thief(daemon_);
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(other->get(), &details, key), WVDS_SUCCESS);
  EXPECT_EQ(wvds_key_info(thief.get(), &details, key), WVDS_KEY_NOT_FOUND);
  EXPECT_EQ(wvds_key_delete(thief.get(), key, 0), WVDS_KEY_NOT_FOUND);
  other.reset();
  EXPECT_EQ(wvds_key_info(thief.get(), &details, key), WVDS_KEY_NOT_FOUND);
}

// No operation tells a foreign key from one that does not exist.
TEST_F(HostileHandles, AForeignKeyIdIsAnsweredAsOneThatDoesNotExist) {
  if (!may_see_all()) GTEST_SKIP() << kNeedsRoot;
  const Connection owner(daemon_);
  const uint32_t keys[] = {
      make_key(owner, WVDS_LIFETIME_VOLATILE), make_key(owner, WVDS_LIFETIME_PERSISTENT),
      make_key(owner, WVDS_LIFETIME_VOLATILE, WVDS_MLDSA_44),
      make_key(owner, WVDS_LIFETIME_VOLATILE, WVDS_MLKEM_512, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW),
      make_key(owner, WVDS_LIFETIME_VOLATILE, WVDS_ECDSA_P256)};
  constexpr uint32_t kNone = 0x7fff'fff0;
  ChildProcess thief([&] {
    become_attacker();
    HostileSession session(daemon_);
    size_t not_found = 0;
    for (const auto& entry : protocol::operations_of(protocol::Daemon::kCryptoService)) {
      if (entry.operation == Operation::kKeyGenerate || entry.operation == Operation::kRandom ||
          entry.operation == Operation::kStatus || entry.operation == Operation::kMetrics ||
          entry.operation == Operation::kCapabilities)
        continue;  // take no key id, and tell other things each time
      for (const size_t rest : {size_t{0}, size_t{2}, size_t{4}, size_t{60}, size_t{768}}) {
        const HostileAnswer of_none = session.call(frame_of(entry.operation, with_id(kNone, Octets(rest))));
        for (const uint32_t key : keys) {
          const HostileAnswer answer = session.call(frame_of(entry.operation, with_id(key, Octets(rest))));
          ASSERT_EQ(answer.status, of_none.status) << entry.name << " with " << rest << " bytes";
          ASSERT_EQ(answer.payload, of_none.payload) << entry.name;
          not_found += answer.status == Status::kKeyNotFound ? 1 : 0;
        }
      }
    }
    EXPECT_GT(not_found, 50u);
  });
  EXPECT_EQ(thief.wait_for_end(), 0);
}

TEST_F(HostileHandles, AReplayedMessageOpensForNobodyElseAndOnceForItsOwner) {
  if (!may_see_all()) GTEST_SKIP() << kNeedsRoot;
  const Connection owner(daemon_);
  const uint32_t key = make_key(owner, WVDS_LIFETIME_VOLATILE);
  uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(4)], opened[4];
  size_t length = 0;
  const auto* text = reinterpret_cast<const uint8_t*>("text");
  ASSERT_EQ(wvds_aes_encrypt(owner.get(), sealed, &length, sizeof sealed, key, text, 4, nullptr, 0), WVDS_SUCCESS);
  const auto open = [&](wvds_session* session) {
    return wvds_aes_decrypt(session, opened, &length, sizeof opened, key, sealed, sizeof sealed, nullptr, 0);
  };
  ChildProcess thief([&] {
    become_attacker();
    EXPECT_EQ(open(Connection(daemon_).get()), WVDS_KEY_NOT_FOUND);
  });
  EXPECT_EQ(thief.wait_for_end(), 0);
  EXPECT_EQ(open(owner.get()), WVDS_SUCCESS);
  EXPECT_EQ(open(owner.get()), WVDS_NONCE_REUSE);
  EXPECT_EQ(open(Connection(daemon_).get()), WVDS_NONCE_REUSE) << "from another session";
}

// Ids of keys that ended name nothing, also for the service that comes next.
TEST_F(HostileHandles, IdsOfEndedKeysNameNothingAfterARestart) {
  uint32_t of_session = 0, of_service = 0, deleted = 0;
  {
    const Connection client(daemon_);
    of_session = make_key(client, WVDS_LIFETIME_SESSION);
    of_service = make_key(client, WVDS_LIFETIME_VOLATILE);
    deleted = make_key(client, WVDS_LIFETIME_PERSISTENT);
    ASSERT_EQ(wvds_key_delete(client.get(), deleted, 0), WVDS_SUCCESS);
  }
  EXPECT_TRUE(bystander_->finish());
  bystander_.reset();
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  bystander_.emplace(daemon_);
  ASSERT_TRUE(bystander_->serves(1));
  const Connection client(daemon_);
  std::vector<uint32_t> next;
  for (int i = 0; i < 100; ++i) next.push_back(make_key(client, WVDS_LIFETIME_SESSION));
  wvds_key_details details{};
  for (const uint32_t id : {of_session, of_service, deleted}) {
    EXPECT_EQ(wvds_key_info(client.get(), &details, id), WVDS_KEY_NOT_FOUND);
    EXPECT_EQ(std::ranges::count(next, id), 0);
  }
}

// A descriptor that a client sends reaches the service at no time; the connection ends, or the kernel refuses.
TEST_F(HostileHandles, DescriptorsAreNotTaken) {
  const uint64_t before = sample_of(daemon_.pid()).descriptors;
  std::byte packet[channel::kSetupSize];
  channel::encode_setup({channel::SetupType::kHello, Status::kSuccess, channel::kLayoutVersion, false}, packet);
  for (int i = 0; i < 50; ++i) {
    RawClient client(daemon_.socket_path());
    if (channel::testing::send_with_fd(client.socket(), packet, STDERR_FILENO)) {
      EXPECT_TRUE(client.hung_up());
    }
  }
  EXPECT_TRUE(reached([&] { return sample_of(daemon_.pid()).descriptors == before; }));
}

}  // namespace
}  // namespace wvds::test
