// The service, and clients of it, killed at random instants of their work.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <iostream>
#include <optional>
#include <thread>

#include "faults/load.h"
#include "support/service_sample.h"

namespace wvds::test {
namespace {

constexpr int kClients = 4;

DaemonOptions options_for_load() {
  return {.clients = R"({"name": "tester", "uid": )" + std::to_string(getuid()) + R"(, "operations": )" +
                     all_operations() + R"(, "limits": {"sessions": 64, "keys_per_minute": 1000000},
                     "rate_limit": {"requests_per_second": 0}})"};
}

std::set<uint32_t> listed_keys(wvds_session* session) {
  std::set<uint32_t> all;
  std::vector<wvds_key_entry> entries(WVDS_MAX_KEY_LIST);
  for (int more = 1; more != 0;) {
    size_t number = 0;
    const uint32_t after = all.empty() ? 0 : *all.rbegin();
    EXPECT_EQ(wvds_key_list(session, entries.data(), &number, entries.size(), &more, after), WVDS_SUCCESS);
    for (size_t i = 0; i < number; ++i) all.insert(entries[i].key_id);
  }
  return all;
}

// Lives is what all lives of one service came to.
class Lives {
 public:
  Lives(Daemon& daemon, std::mt19937_64& random) : daemon_(daemon), random_(random) {
    EXPECT_TRUE(daemon_.start());
    const Connection connection(daemon_);
    EXPECT_EQ(generate(connection.get(), shared_key_), WVDS_SUCCESS);
    issued_.insert(shared_key_);
    for (int i = 0; i < kClients; ++i) clients_.emplace_back(random_(), shared_key_);
  }

  void live_and_die() {
    std::vector<std::thread> threads;
    for (LoadClient& client : clients_) threads.emplace_back([&] { client.live(daemon_.socket_path()); });
    moment_within(random_, std::chrono::milliseconds(200));
    daemon_.kill();
    for (std::thread& thread : threads) thread.join();
    for (LoadClient& client : clients_) count(client);
    expect_whole_store(daemon_, [&](uint32_t key) {
      return removed_.contains(key) ||
             std::ranges::any_of(clients_, [&](const LoadClient& client) { return client.may_be_gone(key); });
    });
  }

  void compare() {
    const Connection connection(daemon_);
    const std::set<uint32_t> listed = listed_keys(connection.get());
    std::set<uint32_t> known{shared_key_};
    size_t generating = 0;
    for (LoadClient& client : clients_) generating += client.was_generating();
    for (LoadClient& client : clients_) known.merge(client.settle(connection.get(), listed));
    for (LoadClient& client : clients_) count(client);
    for (const uint32_t key : listed) {
      if (known.contains(key)) continue;
      EXPECT_GT(generating--, 0u) << "nobody made key " << key;
      EXPECT_TRUE(issued_.insert(key).second) << "id " << key << " was used again";
      EXPECT_EQ(wvds_key_delete(connection.get(), key, 0), WVDS_SUCCESS);
      removed_.insert(key);
    }
  }

  size_t nonces() const { return nonces_.size(); }
  size_t acknowledged() const {
    size_t all = 0;
    for (const LoadClient& client : clients_) all += client.acknowledged();
    return all;
  }
  size_t deleted() const {
    size_t all = 0;
    for (const LoadClient& client : clients_) all += client.deleted();
    return all;
  }
  size_t issued() const { return issued_.size(); }

 private:
  void count(LoadClient& client) {
    for (const Nonce& nonce : client.take_nonces()) {
      EXPECT_TRUE(nonces_.insert(nonce).second) << "a nonce of key " << nonce.key << " was used twice";
    }
    for (const uint32_t key : client.take_issued()) {
      EXPECT_TRUE(issued_.insert(key).second) << "id " << key << " was used again";
    }
  }

  Daemon& daemon_;
  std::mt19937_64& random_;
  uint32_t shared_key_ = 0;
  std::vector<LoadClient> clients_;
  Nonces nonces_;
  std::set<uint32_t> issued_;
  std::set<uint32_t> removed_;  // keys whose making nobody was told of
};

TEST(KilledService, LosesNothingAcknowledgedAndRepeatsNoNonce) {
  const int kills = rounds(15, 1000);
  std::mt19937_64 random = new_random();
  Daemon daemon(options_for_load());
  Lives lives(daemon, random);
  for (int round = 0; round < kills && !HasFailure(); ++round) {
    lives.live_and_die();
    ASSERT_TRUE(daemon.start());
    lives.compare();
    expect_whole_log(daemon);
  }
  std::cout << kills << " kills: " << lives.acknowledged() << " acknowledged requests, " << lives.issued() << " ids, "
            << lives.deleted() << " deletions, " << lives.nonces() << " different nonces\n";
  EXPECT_GT(lives.acknowledged(), static_cast<size_t>(kills) * 10) << "the clients hardly worked";
  EXPECT_GT(lives.deleted(), 0u);
  EXPECT_EQ(daemon.log().find("the audit log was changed"), std::string::npos);
}

// Victim is a client in a process of its own (victim.cc).
class Victim {
 public:
  explicit Victim(const std::string& address) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (getppid() != parent) _exit(126);
      dup2(ends[1], STDOUT_FILENO);
      execl(WVDS_VICTIM, WVDS_VICTIM, address.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    told_.reset(ends[0]);
    EXPECT_EQ(next(), 0u) << "the client does not work";
  }

  // kill ends it and returns the ids of stored keys that it was told.
  std::vector<uint32_t> kill() {
    EXPECT_EQ(::kill(pid_, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the client ended by itself: " << status;
    std::vector<uint32_t> keys;
    for (auto key = next(); key; key = next()) keys.push_back(*key);
    return keys;
  }

 private:
  std::optional<uint32_t> next() {
    uint32_t key = 0;
    if (read(told_.get(), &key, sizeof key) != sizeof key) return std::nullopt;
    return key;
  }

  platform::UniqueFd told_;
  pid_t pid_ = 0;
};

// Honest works beside the victims, and nothing of its may go wrong.
class Honest {
 public:
  explicit Honest(const Daemon& daemon) : connection_(daemon), thread_([this] { work(); }) {}
  ~Honest() {
    ends_ = true;
    thread_.join();
    EXPECT_GT(requests_, 0u);
  }

  size_t requests() const { return requests_; }

 private:
  void work() {
    uint32_t key = 0;
    EXPECT_EQ(generate(connection_.get(), key), WVDS_SUCCESS);
    const Octets plaintext(300, 'h');
    Octets sealed, opened;
    while (!ends_ && !::testing::Test::HasFailure()) {
      EXPECT_EQ(encrypt(connection_.get(), key, plaintext, sealed), WVDS_SUCCESS);
      EXPECT_EQ(decrypt(connection_.get(), key, sealed, opened), WVDS_SUCCESS);
      EXPECT_EQ(opened, plaintext);
      ++requests_;
    }
    EXPECT_EQ(wvds_key_delete(connection_.get(), key, 0), WVDS_SUCCESS);
  }

  Connection connection_;
  std::atomic<bool> ends_{false};
  std::atomic<size_t> requests_{0};
  std::thread thread_;
};

// clean_up deletes what the victims stored, and fails the test where something acknowledged is missing.
void clean_up(wvds_session* session, const std::vector<uint32_t>& acknowledged, const std::set<uint32_t>& before,
              size_t victims) {
  std::set<uint32_t> left = listed_keys(session);
  for (const uint32_t key : acknowledged) {
    EXPECT_TRUE(left.erase(key) == 1) << "key " << key << " is gone";
    EXPECT_EQ(wvds_key_delete(session, key, 0), WVDS_SUCCESS);
  }
  for (const uint32_t key : before) left.erase(key);
  EXPECT_LE(left.size(), victims) << "more keys than were being made";
  for (const uint32_t key : left) EXPECT_EQ(wvds_key_delete(session, key, 0), WVDS_SUCCESS);
}

TEST(KilledClients, TakeTheirSessionsAndKeysAlongAndDisturbNobody) {
  constexpr size_t kVictims = 3;
  const int kills = rounds(20, 1000);
  std::mt19937_64 random = new_random();
  Daemon daemon(options_for_load());
  ASSERT_TRUE(daemon.start());
  const Connection connection(daemon);
  const Honest honest(daemon);
  ASSERT_TRUE(reached([&] { return honest.requests() > 0; }));
  const std::set<uint32_t> before = listed_keys(connection.get());
  const uint64_t descriptors = sample_of(daemon.pid()).descriptors;
  for (int round = 0; round < kills && !HasFailure(); ++round) {
    std::vector<std::unique_ptr<Victim>> victims;
    for (size_t i = 0; i < kVictims; ++i) victims.push_back(std::make_unique<Victim>(daemon.socket_path()));
    std::vector<uint32_t> acknowledged;
    for (const auto& victim : victims) {
      moment_within(random, std::chrono::milliseconds(30));
      for (const uint32_t key : victim->kill()) acknowledged.push_back(key);
    }
    wvds_service_state state{};
    EXPECT_TRUE(reached([&] {
      EXPECT_EQ(wvds_status_get(connection.get(), &state), WVDS_SUCCESS);
      return state.num_sessions == 2 && state.num_memory_keys == 0;
    })) << state.num_sessions
        << " sessions and " << state.num_memory_keys << " keys in memory are left";
    clean_up(connection.get(), acknowledged, before, kVictims);
  }
  EXPECT_TRUE(reached([&] { return sample_of(daemon.pid()).descriptors == descriptors; })) << "descriptors are left";
  std::cout << kills * kVictims << " clients killed, " << honest.requests() << " right answers to the one beside them"
            << (may_see_all() ? "" : ", descriptors not counted") << '\n';
}

}  // namespace
}  // namespace wvds::test
