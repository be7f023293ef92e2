// Memory, descriptors and entropy that run out: at the start a refusal that says which, later an answer that says so,
// and when there is enough again, service again.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <iostream>
#include <map>
#include <set>

#include "faults/bed.h"

namespace wvds::test {
namespace {

const Octets kPlaintext = {'e', 'n', 'o', 'u', 'g', 'h'};

enum class Started { kServes, kRefused, kCrashed };

// start_within starts a service within a limit. Refused: it has ended, with an exit code of its own and a reason.
Started start_within(int resource, rlim_t value) {
  constexpr int kNoProgram = 127;  // of the dynamic loader, which has no room for the program's libraries
  Daemon daemon({.limits = {{resource, value}}});
  if (!daemon.try_start()) {
    const bool has_reason = (daemon.exit_code() == 1 || daemon.exit_code() == kNoProgram) && !daemon.log().empty();
    return has_reason ? Started::kRefused : Started::kCrashed;
  }
  const Connection client(daemon);
  EXPECT_TRUE(client.status() == WVDS_SUCCESS || client.status() == WVDS_LIMIT_REACHED ||
              client.status() == WVDS_NOT_READY || client.status() == WVDS_TIMEOUT)
      << "limit " << value << ": " << wvds_status_name(client.status());
  EXPECT_EQ(daemon.stop(), 0) << "limit " << value;
  return client.status() == WVDS_SUCCESS ? Started::kServes : Started::kRefused;
}

TEST(Start, WithTooFewDescriptorsIsRefusedWithAReason) {
  for (const rlim_t descriptors : {3, 4, 6, 8, 10, 12}) {
    EXPECT_EQ(start_within(RLIMIT_NOFILE, descriptors), Started::kRefused) << descriptors;
  }
  EXPECT_EQ(start_within(RLIMIT_NOFILE, 64), Started::kServes);
}

// Within some limits OpenSSL's FIPS module crashes in its self-tests; that is not ours to mend, and nobody was served.
TEST(Start, WithTooLittleMemoryEndsTheServiceBeforeAnybodyIsServed) {
  constexpr rlim_t kMegabyte = 1 << 20, kPlenty = 100 * kMegabyte;
  const rlim_t step = is_long() ? kMegabyte / 4 : 2 * kMegabyte;
  std::map<Started, int> outcomes;
  for (rlim_t memory = 10 * kMegabyte; memory < kPlenty && outcomes[Started::kServes] == 0; memory += step) {
    ++outcomes[start_within(RLIMIT_AS, memory)];
  }
  std::cout << outcomes[Started::kRefused] << " starts were refused, " << outcomes[Started::kCrashed] << " crashed\n";
  EXPECT_EQ(outcomes[Started::kServes], 1);
  EXPECT_GT(outcomes[Started::kRefused], outcomes[Started::kCrashed]);
}

TEST(Start, WithoutMemoryThatCanBeLockedIsRefusedWhereThatIsRequired) {
  prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK);  // root's programs would be bound by no limit
  Daemon daemon({.sections = R"("locked_memory": "required",)", .limits = {{RLIMIT_MEMLOCK, 64 << 10}}});
  EXPECT_FALSE(daemon.try_start());
  EXPECT_NE(daemon.log().find("RLIMIT_MEMLOCK"), std::string::npos) << daemon.log();
}

TEST(Start, WithoutEntropyIsRefusedWithAReason) {
  FaultyDaemon daemon;
  daemon.fail(WVDS_FAULT_RANDOM, EIO);
  EXPECT_FALSE(daemon->try_start());
  EXPECT_GT(daemon.heal(), 0);
  EXPECT_NE(daemon->log().find("random"), std::string::npos) << daemon->log();
  EXPECT_TRUE(daemon->start());
}

// Round is one of each kind of request; what comes back is remembered, and nothing may come twice.
class Round {
 public:
  explicit Round(Daemon& daemon) : daemon_(daemon), session_(daemon) {
    EXPECT_EQ(generate(session_.get(), key_), WVDS_SUCCESS);
    EXPECT_EQ(generate(session_.get(), signer_, WVDS_MLDSA_44), WVDS_SUCCESS);
    EXPECT_EQ(encrypt(session_.get(), key_, kPlaintext, sealed_), WVDS_SUCCESS);
  }

  // run counts what failed. A service that could not go on is started again.
  size_t run() {
    failures_ = 0;
    Octets sealed, opened, signature, random(32);
    wvds_service_state state{};
    uint32_t made = 0;
    note(encrypt(session_.get(), key_, kPlaintext, sealed), &sealed);
    if (note(decrypt(session_.get(), key_, sealed_, opened))) {
      EXPECT_EQ(opened, kPlaintext);
    }
    note(sign(session_.get(), signer_, kPlaintext, signature));
    note(wvds_random(session_.get(), random.data(), random.size()), &random);
    note(wvds_status_get(session_.get(), &state));
    if (note(generate(session_.get(), made, WVDS_AES_256_GCM, WVDS_LIFETIME_SESSION)))
      note(wvds_key_delete(session_.get(), made, 0));
    if (note(generate(session_.get(), made))) {
      if (note(rotate(session_.get(), made))) note(encrypt(session_.get(), made, kPlaintext, sealed), &sealed);
      if (!note(wvds_key_delete(session_.get(), made, 0))) left_.insert(made);
    }
    const Connection another(daemon_.socket_path());
    if (note(another.status())) note(encrypt(another.get(), key_, kPlaintext, sealed), &sealed);
    if (session_is_gone_) come_back();
    return failures_;
  }

  void expect_all_well() {
    for (const uint32_t key : left_) (void)wvds_key_delete(session_.get(), key, 0);
    left_.clear();
    EXPECT_EQ(run(), 0u);
  }

  const std::set<wvds_status>& seen() const { return seen_; }
  size_t restarts() const { return restarts_; }

 private:
  bool note(wvds_status status, const Octets* fresh = nullptr) {
    seen_.insert(status);
    failures_ += status != WVDS_SUCCESS;
    session_is_gone_ = session_is_gone_ || status == WVDS_DISCONNECTED;
    if (status == WVDS_SUCCESS && fresh != nullptr) {
      EXPECT_TRUE(fresh_.insert(Octets(fresh->begin(), fresh->begin() + WVDS_AES_NONCE_SIZE)).second)
          << "a nonce or random bytes came twice";
    }
    return status == WVDS_SUCCESS;
  }

  // A service that ended for lack of memory says so, and is not killed by anything.
  void come_back() {
    session_is_gone_ = false;
    if (wvds_reconnect(session_.get(), WVDS_DEFAULT_TIMEOUT) == WVDS_SUCCESS) return;
    ++restarts_;
    EXPECT_EQ(daemon_.wait_for_end(), 1);
    ASSERT_TRUE(daemon_.start());
    EXPECT_EQ(wvds_reconnect(session_.get(), WVDS_DEFAULT_TIMEOUT), WVDS_SUCCESS);
  }

  Daemon& daemon_;
  Connection session_;
  uint32_t key_ = 0, signer_ = 0;
  Octets sealed_;
  std::set<Octets> fresh_;
  std::set<uint32_t> left_;
  std::set<wvds_status> seen_;
  size_t failures_ = 0;
  size_t restarts_ = 0;
  bool session_is_gone_ = false;
};

TEST(OneFailingAllocation, IsAnErrorOfOneRequestWhicheverItIs) {
  std::mt19937_64 random = new_random();
  FaultyDaemon daemon;
  ASSERT_TRUE(daemon->start());
  Round round(*daemon);
  int64_t failed = 1, tried = 0;
  for (int64_t call = 0; failed > 0 && !HasFailure(); call += is_long() ? 1 : 1 + static_cast<int64_t>(random() % 60)) {
    daemon.fail(WVDS_FAULT_MEMORY, ENOMEM, call, 1);
    EXPECT_LE(round.run(), 4u);  // one allocation may fail the making of a key, and then there is none to use
    failed = daemon.heal();
    tried += failed;
  }
  round.expect_all_well();
  EXPECT_GT(tried, 5);
  std::cout << tried << " allocations failed; the service ended " << round.restarts() << " times; statuses:";
  for (const wvds_status status : round.seen()) std::cout << ' ' << wvds_status_name(status);
  std::cout << '\n';
}

TEST(NoMemoryAtAll, IsAnsweredAndSurvived) {
  FaultyDaemon daemon;
  ASSERT_TRUE(daemon->start());
  Round round(*daemon);
  daemon.fail(WVDS_FAULT_MEMORY, ENOMEM);
  EXPECT_GT(round.run(), 0u);
  EXPECT_GT(daemon.heal(), 0);
  round.expect_all_well();
}

TEST(NoRoomForAnotherThread, RefusesSessionsAndServesTheOnesThatAreThere) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  Round round(daemon);
  const Connection there(daemon);
  uint32_t key = 0;
  ASSERT_EQ(generate(there.get(), key), WVDS_SUCCESS);
  {
    const Limit limit(daemon.pid(), RLIMIT_AS, 1 << 20);  // nothing more can be mapped
    for (int i = 0; i < 5; ++i) {
      const Connection refused(daemon);
      EXPECT_TRUE(refused.status() == WVDS_LIMIT_REACHED || refused.status() == WVDS_NOT_READY)
          << wvds_status_name(refused.status());
    }
    Octets sealed;
    EXPECT_EQ(encrypt(there.get(), key, kPlaintext, sealed), WVDS_SUCCESS);
  }
  round.expect_all_well();
}

TEST(NoMoreDescriptors, RefusesSessionsAndServesTheOnesThatAreThere) {
  Daemon daemon;
  ASSERT_TRUE(daemon.start());
  Round round(daemon);
  const Connection there(daemon);
  uint32_t key = 0, refused_key = 0;
  ASSERT_EQ(generate(there.get(), key), WVDS_SUCCESS);
  {
    const Limit limit(daemon.pid(), RLIMIT_NOFILE, 3);
    wvds_session* refused = nullptr;
    EXPECT_EQ(wvds_connect(&refused, daemon.socket_path().c_str(), 300), WVDS_TIMEOUT);
    Octets sealed;
    EXPECT_EQ(encrypt(there.get(), key, kPlaintext, sealed), WVDS_SUCCESS);
    EXPECT_EQ(generate(there.get(), refused_key), WVDS_STORAGE_ERROR);
  }
  EXPECT_NE(daemon.log().find("Too many open files"), std::string::npos) << daemon.log();
  round.expect_all_well();
}

// A generator that was seeded goes on until it has to be seeded again, as SP 800-90A has it. Each session has one of
// its own, so that new sessions come to the source soon.
TEST(NoEntropy, EndsWhatNeedsItAndNothingIsHandedOut) {
  FaultyDaemon daemon;
  ASSERT_TRUE(daemon->start());
  Round round(*daemon);
  daemon.fail(WVDS_FAULT_RANDOM, EIO);
  size_t failures = 0;
  for (int i = 0; i < 2000 && failures == 0; ++i) failures = round.run();
  EXPECT_GT(failures, 0u) << "it never asked for entropy";
  EXPECT_TRUE(round.seen().contains(WVDS_CRYPTO_ERROR));
  EXPECT_GT(daemon.heal(), 0);
  round.expect_all_well();
}

}  // namespace
}  // namespace wvds::test
