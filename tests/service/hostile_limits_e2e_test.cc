// A client takes all that it may have of something and keeps it. It is told its limit; another client has its own.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include "service/attacks.h"
#include "service/busy_bystander.h"
#include "service/hostile_session.h"
#include "support/service_sample.h"

namespace wvds::test {
namespace {

using channel::testing::ChildProcess;
using channel::testing::Pipe;
using channel::testing::RawClient;

wvds_status try_key(wvds_session* session, wvds_lifetime lifetime, uint32_t& key,
                    wvds_algorithm algorithm = WVDS_AES_256_GCM) {
  wvds_key_template wanted{};
  wanted.algorithm = algorithm;
  wanted.lifetime = lifetime;
  return wvds_key_generate(session, &key, nullptr, nullptr, 0, &wanted);
}

class HostileLimits : public testing::Test {
 protected:
  void SetUp() override {
    if (!may_see_all()) GTEST_SKIP() << kNeedsRoot;
  }

  // begin starts a service with limits for the attacker, who may ask as often as it likes, and a bystander.
  void begin(const std::string& limits) {
    DaemonOptions options;
    options.clients = this_user_may_all() + ", " + attacker(R"("limits": {)" + limits + "}, " + kAsOftenAsItLikes);
    daemon_.emplace(options);
    ASSERT_TRUE(daemon_->start());
    bystander_.emplace(*daemon_);
    ASSERT_TRUE(bystander_->serves(20));
  }

  // beside runs `exhaust` as the attacker, then `check` here while the attacker still holds what it took.
  void beside(const std::function<void()>& exhaust, const std::function<void()>& check) {
    Pipe taken, let_go;
    ChildProcess process([&] {
      become_attacker();
      exhaust();
      taken.tell();
      let_go.told();
    });
    ASSERT_TRUE(taken.told());
    check();
    EXPECT_TRUE(bystander_->serves(50));
    let_go.tell();
    EXPECT_EQ(process.wait_for_end(), 0) << "the attacker was not told what it should have been";
    EXPECT_TRUE(bystander_->finish());
    EXPECT_EQ(daemon_->stop(), 0);
  }

  // keys_are_limited: the attacker makes keys until it is told its limit, which is the `count` + 1st.
  void keys_are_limited(const std::string& limits, wvds_lifetime lifetime, uint32_t count,
                        wvds_algorithm algorithm = WVDS_AES_256_GCM) {
    begin(limits);
    const auto session = std::make_shared<std::unique_ptr<Connection>>();
    beside(
        [&] {
          *session = std::make_unique<Connection>(*daemon_);
          uint32_t made = 0, key = 0;
          wvds_status status = WVDS_SUCCESS;
          while ((status = try_key((*session)->get(), lifetime, key, algorithm)) == WVDS_SUCCESS) ++made;
          EXPECT_EQ(status, WVDS_LIMIT_REACHED);
          EXPECT_EQ(made, count);
        },
        [&] {
          const Connection client(*daemon_);
          uint32_t key = 0;
          for (uint32_t i = 0; i < 2 * count; ++i) {
            ASSERT_EQ(try_key(client.get(), lifetime, key, algorithm), WVDS_SUCCESS);
          }
        });
  }

  std::optional<Daemon> daemon_;
  std::optional<BusyBystander> bystander_;
};

TEST_F(HostileLimits, OfSessions) {
  begin(R"("sessions": 5)");
  std::vector<std::unique_ptr<Connection>> held;
  beside(
      [&] {
        wvds_status status = WVDS_SUCCESS;
        while (status == WVDS_SUCCESS) {
          held.push_back(std::make_unique<Connection>(*daemon_));
          status = held.back()->status();
        }
        EXPECT_EQ(status, WVDS_LIMIT_REACHED);
        EXPECT_EQ(held.size(), 6u) << "the last was refused";
      },
      [&] {
        for (int i = 0; i < 6; ++i) {
          held.push_back(std::make_unique<Connection>(*daemon_));
          EXPECT_EQ(held.back()->status(), WVDS_SUCCESS);
        }
        held.clear();
      });
}

TEST_F(HostileLimits, OfSlots) {
  begin(R"("sessions": 1)");
  std::optional<Connection> session;
  beside(
      [&] {
        session.emplace(*daemon_);
        uint8_t* place = nullptr;
        for (int i = 0; i < 8; ++i) {
          wvds_call* call = nullptr;
          ASSERT_EQ(wvds_request_begin(session->get(), &call, &place, WVDS_OP_PING, 0), WVDS_SUCCESS);
          ASSERT_EQ(wvds_submit(call), WVDS_SUCCESS);  // and never collected
        }
        wvds_call* call = nullptr;
        EXPECT_EQ(wvds_request_begin(session->get(), &call, &place, WVDS_OP_PING, 0), WVDS_BUSY);
      },
      [&] { EXPECT_EQ(wvds_ping(Connection(*daemon_).get()), WVDS_SUCCESS); });
}

TEST_F(HostileLimits, OfSessionKeys) { keys_are_limited(R"("session_keys": 20)", WVDS_LIFETIME_SESSION, 20); }
TEST_F(HostileLimits, OfVolatileKeys) { keys_are_limited(R"("volatile_keys": 20)", WVDS_LIFETIME_VOLATILE, 20); }
TEST_F(HostileLimits, OfStoredKeys) { keys_are_limited(R"("persistent_keys": 10)", WVDS_LIFETIME_PERSISTENT, 10); }
TEST_F(HostileLimits, OfKeysAMinute) { keys_are_limited(R"("keys_per_minute": 1)", WVDS_LIFETIME_SESSION, 1); }

TEST_F(HostileLimits, OfLockedMemory) {
  keys_are_limited(R"("session_keys": 300, "keys_per_minute": 100000)", WVDS_LIFETIME_SESSION, 300, WVDS_MLDSA_87);
}

// The store's folder grows by what the attacker may have, and the little that is there for all.
TEST_F(HostileLimits, OfTheDisk) {
  begin(R"("store_bytes": 20000, "keys_per_minute": 100000)");
  const auto size_of_store = [&] {
    uintmax_t sum = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon_->path("store"))) {
      if (entry.is_regular_file()) sum += entry.file_size();
    }
    return sum;
  };
  const uintmax_t before = size_of_store();
  std::optional<Connection> session;
  beside(
      [&] {
        session.emplace(*daemon_);
        uint32_t key = 0;
        wvds_status status = WVDS_SUCCESS;
        while (status == WVDS_SUCCESS) status = try_key(session->get(), WVDS_LIFETIME_PERSISTENT, key, WVDS_MLDSA_87);
        EXPECT_EQ(status, WVDS_LIMIT_REACHED);
        EXPECT_GT(key + 1, 0u);
      },
      [&] {
        EXPECT_GT(size_of_store(), before + 10'000) << "else it reached another limit";
        EXPECT_LT(size_of_store(), before + 200'000) << "records, index and audit log";
        EXPECT_NE(make_key(Connection(*daemon_), WVDS_LIFETIME_PERSISTENT), 0u);
      });
}

// What a client is refused is told in the log and the audit log, and fills neither.
TEST_F(HostileLimits, OfTheDiskThroughTheLogs) {
  begin("");
  const auto size = [&] {
    uintmax_t sum = std::filesystem::file_size(daemon_->path("log"));
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon_->path("store"))) {
      if (entry.is_regular_file()) sum += entry.file_size();
    }
    return sum;
  };
  const uintmax_t before = size();
  beside(
      [&] {
        const Connection session(*daemon_);
        for (int i = 0; i < 20'000; ++i) {
          EXPECT_EQ(wvds_key_delete(session.get(), 1'000'000, 0), WVDS_KEY_NOT_FOUND);
        }
      },
      [&] { EXPECT_LT(size(), before + 200'000) << "10 bytes for each would be the bound"; });
}

// The memory of replay windows: 20 bytes a nonce.
TEST_F(HostileLimits, OfWindows) {
  begin(R"("window_bytes": 4096)");
  std::optional<Connection> session;
  const auto round_trips = [](wvds_session* client, uint32_t key, int count) {
    uint8_t sealed[WVDS_AES_ENCRYPT_OUTPUT_SIZE(4)], opened[4];
    size_t length = 0;
    const auto* text = reinterpret_cast<const uint8_t*>("text");
    wvds_status status = WVDS_SUCCESS;
    for (int i = 0; i < count && status == WVDS_SUCCESS; ++i) {
      EXPECT_EQ(wvds_aes_encrypt(client, sealed, &length, sizeof sealed, key, text, 4, nullptr, 0), WVDS_SUCCESS);
      status = wvds_aes_decrypt(client, opened, &length, sizeof opened, key, sealed, sizeof sealed, nullptr, 0);
    }
    return status;
  };
  beside(
      [&] {
        session.emplace(*daemon_);
        uint32_t key = 0;
        ASSERT_EQ(try_key(session->get(), WVDS_LIFETIME_SESSION, key), WVDS_SUCCESS);
        EXPECT_EQ(round_trips(session->get(), key, 2000), WVDS_LIMIT_REACHED);
      },
      [&] {
        const Connection client(*daemon_);
        uint32_t key = 0;
        ASSERT_EQ(try_key(client.get(), WVDS_LIFETIME_SESSION, key), WVDS_SUCCESS);
        EXPECT_EQ(round_trips(client.get(), key, 2000), WVDS_SUCCESS);
      });
}

// Hundreds of connections of one user in set-up take a few descriptors, and nobody else's.
TEST_F(HostileLimits, OfDescriptors) {
  begin("");
  const uint64_t before = sample_of(daemon_->pid()).descriptors;
  constexpr uint64_t kOfASetUp = 4;  // socket, process, memory, bell
  std::vector<std::unique_ptr<RawClient>> held;
  beside(
      [&] {
        for (int i = 0; i < 400; ++i) {
          held.push_back(std::make_unique<RawClient>(daemon_->socket_path()));
          if (i % 2 == 0) (void)held.back()->say(channel::SetupType::kHello);
        }
      },
      [&] {
        EXPECT_LE(sample_of(daemon_->pid()).descriptors, before + 8 * kOfASetUp + 1);
        EXPECT_EQ(Connection(*daemon_).status(), WVDS_SUCCESS);
      });
}

// Ids come up to the limit of keys a minute, each once.
TEST_F(HostileLimits, OfKeyIds) {
  begin(R"("session_keys": 4, "keys_per_minute": 500)");
  beside(
      [&] {
        const Connection session(*daemon_);
        std::set<uint32_t> ids;
        uint32_t key = 0;
        wvds_status status = WVDS_SUCCESS;
        while ((status = try_key(session.get(), WVDS_LIFETIME_SESSION, key)) == WVDS_SUCCESS) {
          ASSERT_TRUE(ids.insert(key).second) << "an id came twice";
          ASSERT_EQ(wvds_key_delete(session.get(), key, 0), WVDS_SUCCESS);
        }
        EXPECT_EQ(status, WVDS_LIMIT_REACHED);
        EXPECT_GE(ids.size(), 500u);
      },
      [&] {
        uint32_t key = 0;
        EXPECT_EQ(try_key(Connection(*daemon_).get(), WVDS_LIFETIME_VOLATILE, key), WVDS_SUCCESS);
      });
}

}  // namespace
}  // namespace wvds::test
