// Limits of keys, grants and final deletion, with the real service: over kills, restarts and several clients.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "support/daemon.h"

namespace wvds::test {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kFarFuture = 250'000'000'000;  // in the year 9892
constexpr uint64_t kLongAgo = 1'000'000'000;      // 2001

wvds_key_template wanted(wvds_algorithm algorithm, uint64_t max_uses, uint64_t not_before = 0, uint64_t not_after = 0) {
  wvds_key_template key{};
  key.algorithm = algorithm;
  key.flags = algorithm == WVDS_AES_256_GCM ? static_cast<uint32_t>(WVDS_KEY_REPLAY_WINDOW_OFF) : 0;
  key.max_uses = max_uses;
  key.not_before = not_before;
  key.not_after = not_after;
  return key;
}

uint32_t generate(const Connection& client, const wvds_key_template& key) {
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_generate(client.get(), &id, nullptr, nullptr, 0, &key), WVDS_SUCCESS);
  return id;
}

wvds_status sign(const Connection& client, uint32_t key) {
  std::array<uint8_t, WVDS_MLDSA_MAX_SIGNATURE_SIZE> signature{};
  size_t length = 0;
  const uint8_t message[] = {'m'};
  return wvds_mldsa_sign(client.get(), signature.data(), &length, signature.size(), key, message, sizeof message,
                         nullptr, 0, 0);
}

struct Sealed {
  wvds_status status = WVDS_INTERNAL_ERROR;
  std::vector<uint8_t> bytes;
};

Sealed encrypt(const Connection& client, uint32_t key) {
  Sealed out;
  out.bytes.resize(WVDS_AES_ENCRYPT_OUTPUT_SIZE(4));
  size_t length = 0;
  out.status = wvds_aes_encrypt(client.get(), out.bytes.data(), &length, out.bytes.size(), key,
                                reinterpret_cast<const uint8_t*>("text"), 4, nullptr, 0);
  return out;
}

wvds_status decrypt(const Connection& client, uint32_t key, const Sealed& sealed) {
  std::array<uint8_t, 4> text{};
  size_t length = 0;
  return wvds_aes_decrypt(client.get(), text.data(), &length, text.size(), key, sealed.bytes.data(),
                          sealed.bytes.size(), nullptr, 0);
}

uint32_t import_aes(const Connection& client, const wvds_key_template& key) {
  const std::array<uint8_t, WVDS_AES_KEY_SIZE> material{1, 2, 3};
  uint32_t id = 0;
  EXPECT_EQ(wvds_key_import(client.get(), &id, nullptr, nullptr, 0, &key, WVDS_KEY_FORMAT_RAW, material.data(),
                            material.size()),
            WVDS_SUCCESS);
  return id;
}

wvds_key_details info(const Connection& client, uint32_t key) {
  wvds_key_details details{};
  EXPECT_EQ(wvds_key_info(client.get(), &details, key), WVDS_SUCCESS);
  return details;
}

class Policy : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(daemon_.start()); }

  void restart() {
    EXPECT_EQ(daemon_.stop(), 0);
    ASSERT_TRUE(daemon_.start());
  }
  void kill_and_start() {
    daemon_.kill();
    ASSERT_TRUE(daemon_.start());
  }
  void reload(const std::string& clients) {
    DaemonOptions options;
    options.clients = clients;
    daemon_.configure(options);
    daemon_.signal(SIGHUP);
    daemon_.wait_for_notification("RELOADING=1");
    daemon_.wait_for_notification("READY=1");
  }

  Daemon daemon_;
};

TEST_F(Policy, GivesExactlyTheUsesOfAKeyOverRestarts) {
  const uint32_t key = generate(Connection(daemon_), wanted(WVDS_MLDSA_44, 10));
  int signed_in_all = 0;
  for (int start = 0; start < 5; ++start) {
    const Connection client(daemon_);
    for (int i = 0; i < 3; ++i) signed_in_all += sign(client, key) == WVDS_SUCCESS;
    EXPECT_EQ(info(client, key).versions[0].uses, static_cast<uint64_t>(signed_in_all));
    restart();
  }
  EXPECT_EQ(signed_in_all, 10);
  const Connection client(daemon_);
  EXPECT_EQ(sign(client, key), WVDS_KEY_USED_UP);
  uint32_t version = 0;
  ASSERT_EQ(wvds_key_rotate(client.get(), &version, nullptr, nullptr, 0, key), WVDS_SUCCESS);
  EXPECT_EQ(sign(client, key), WVDS_SUCCESS) << "a new version has them afresh";
  EXPECT_EQ(info(client, key).max_uses, 10u);
}

// One use at a time is reserved for so low a limit: a kill loses at most that one.
TEST_F(Policy, NeverGivesMoreThanTheUsesOfAKeyOverKills) {
  constexpr int kUses = 12, kKills = 5;
  for (const wvds_algorithm algorithm : {WVDS_AES_256_GCM, WVDS_MLDSA_44}) {
    const uint32_t key = generate(Connection(daemon_), wanted(algorithm, kUses));
    const auto use = [&](const Connection& client) {
      return algorithm == WVDS_AES_256_GCM ? encrypt(client, key).status : sign(client, key);
    };
    int used = 0;
    for (int start = 0; start < kKills; ++start) {
      {
        const Connection client(daemon_);
        for (int i = 0; i < 2; ++i) used += use(client) == WVDS_SUCCESS;
      }
      kill_and_start();
    }
    const Connection client(daemon_);
    while (use(client) == WVDS_SUCCESS) ++used;
    EXPECT_EQ(use(client), WVDS_KEY_USED_UP);
    EXPECT_LE(used, kUses);
    EXPECT_GE(used, kUses - kKills);
  }
}

TEST_F(Policy, GivesExactlyTheUsesOfAKeyToManyWorkersAtOnce) {
  constexpr int kUses = 150;
  const uint32_t key = generate(Connection(daemon_), wanted(WVDS_MLDSA_44, kUses));
  std::atomic<int> used = 0, other = 0;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; ++i) {
    workers.emplace_back([&] {
      const Connection client(daemon_);
      wvds_status status = sign(client, key);
      for (; status == WVDS_SUCCESS; status = sign(client, key)) ++used;
      other += status != WVDS_KEY_USED_UP;
    });
  }
  for (auto& worker : workers) worker.join();
  EXPECT_EQ(used, kUses);
  EXPECT_EQ(other, 0);
}

TEST_F(Policy, CountsDecapsulations) {
  const Connection client(daemon_);
  wvds_key_template key = wanted(WVDS_MLKEM_512, 2);
  key.usages = WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW;
  const uint32_t id = generate(client, key);
  const wvds_public_key to = wvds_public_key_by_id(id);
  std::array<uint8_t, WVDS_MLKEM_SHARED_SECRET_SIZE> secret{}, again{};
  std::array<uint8_t, WVDS_MLKEM_MAX_CIPHERTEXT_SIZE> ciphertext{};
  size_t length = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(wvds_mlkem_encaps(client.get(), secret.data(), ciphertext.data(), &length, ciphertext.size(), &to),
              WVDS_SUCCESS);
    EXPECT_EQ(wvds_mlkem_decaps(client.get(), again.data(), id, ciphertext.data(), length),
              i < 2 ? WVDS_SUCCESS : WVDS_KEY_USED_UP);
    EXPECT_EQ(again == secret, i < 2);
  }
}

TEST_F(Policy, HoldsTheDatesOfAKey) {
  uint32_t early = 0, late = 0, open = 0;
  Sealed sealed;
  for (int start = 0; start < 2; ++start, restart()) {
    const Connection client(daemon_);
    if (start == 0) {
      open = import_aes(client, wanted(WVDS_AES_256_GCM, 0));
      early = import_aes(client, wanted(WVDS_AES_256_GCM, 0, kFarFuture));
      late = import_aes(client, wanted(WVDS_AES_256_GCM, 0, kLongAgo, kLongAgo + 1));
      sealed = encrypt(client, open);
      ASSERT_EQ(sealed.status, WVDS_SUCCESS);
    }
    EXPECT_EQ(encrypt(client, early).status, WVDS_KEY_NOT_VALID);
    EXPECT_EQ(decrypt(client, early, sealed), WVDS_KEY_NOT_VALID);
    EXPECT_EQ(encrypt(client, late).status, WVDS_KEY_NOT_VALID);
    EXPECT_EQ(decrypt(client, late, sealed), WVDS_SUCCESS) << "what was protected stays readable";
    uint32_t version = 0;
    EXPECT_EQ(wvds_key_rotate(client.get(), &version, nullptr, nullptr, 0, late), WVDS_KEY_NOT_VALID);
    EXPECT_EQ(info(client, late).not_before, kLongAgo);
    EXPECT_EQ(info(client, late).not_after, kLongAgo + 1);
  }
}

// client_named is this user under a name of its own: keys belong to names.
std::string client_named(const std::string& name, const std::string& grants) {
  std::string client = this_user_may_all(name);
  client.insert(client.rfind('}'), R"(, "keys": [)" + grants + "]");
  return client;
}

TEST_F(Policy, GrantsAnotherPrincipalNamedUsagesOfANamedKey) {
  uint32_t signs = 0, reads = 0;
  Sealed sealed;
  {
    const Connection owner(daemon_);
    signs = generate(owner, wanted(WVDS_MLDSA_44, 3));
    reads = generate(owner, wanted(WVDS_AES_256_GCM, 0));
    sealed = encrypt(owner, reads);
    EXPECT_EQ(sign(owner, signs), WVDS_SUCCESS);
  }
  reload(this_user_may_all("other"));
  const Connection other(daemon_);
  EXPECT_EQ(sign(other, signs), WVDS_KEY_NOT_FOUND);
  EXPECT_EQ(decrypt(other, reads, sealed), WVDS_KEY_NOT_FOUND);
  reload(client_named("other", R"({"id": )" + std::to_string(signs) + R"(, "usages": ["sign"]}, {"id": )" +
                                   std::to_string(reads) + R"(, "usages": ["decrypt", "sign"]})"));
  EXPECT_EQ(decrypt(other, reads, sealed), WVDS_SUCCESS);
  EXPECT_EQ(encrypt(other, reads).status, WVDS_WRONG_KEY_USAGE);
  EXPECT_EQ(info(other, reads).usages, static_cast<uint32_t>(WVDS_USAGE_DECRYPT)) << "no key of AES signs";
  EXPECT_EQ(wvds_key_delete(other.get(), reads, 0), WVDS_DENIED);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(sign(other, signs), WVDS_SUCCESS);
  EXPECT_EQ(sign(other, signs), WVDS_KEY_USED_UP) << "the owner has used one";
  reload(this_user_may_all("other"));
  EXPECT_EQ(decrypt(other, reads, sealed), WVDS_KEY_NOT_FOUND);
}

TEST_F(Policy, DeletesForGood) {
  uint32_t key = 0;
  Sealed sealed;
  {
    const Connection client(daemon_);
    key = generate(client, wanted(WVDS_AES_256_GCM, 0));
    sealed = encrypt(client, key);
  }
  restart();
  char name[16];
  std::snprintf(name, sizeof name, "k-%08x", key);
  const fs::path record = fs::path(daemon_.folder()) / "store" / name, copy = daemon_.path("copy");
  ASSERT_TRUE(fs::copy_file(record, copy));
  {
    const Connection client(daemon_);
    ASSERT_EQ(decrypt(client, key, sealed), WVDS_SUCCESS);
    ASSERT_EQ(wvds_key_delete(client.get(), key, 0), WVDS_SUCCESS);
  }
  EXPECT_FALSE(fs::exists(record)) << "before the answer";
  EXPECT_EQ(daemon_.stop(), 0);
  ASSERT_TRUE(fs::copy_file(copy, record));
  ASSERT_TRUE(daemon_.start());
  const Connection client(daemon_);
  EXPECT_EQ(decrypt(client, key, sealed), WVDS_KEY_NOT_FOUND);
  EXPECT_NE(daemon_.log().find("this key was deleted and its record put back"), std::string::npos);
}

TEST_F(Policy, KeepsAnOldVersionForDecryptionUntilItIsDeleted) {
  const Connection client(daemon_);
  const uint32_t key = generate(client, wanted(WVDS_AES_256_GCM, 0));
  const Sealed old = encrypt(client, key);
  uint32_t version = 0;
  ASSERT_EQ(wvds_key_rotate(client.get(), &version, nullptr, nullptr, 0, key), WVDS_SUCCESS);
  const Sealed fresh = encrypt(client, key);
  EXPECT_EQ(decrypt(client, key, old), WVDS_SUCCESS);
  ASSERT_EQ(wvds_key_retire(client.get(), key), WVDS_SUCCESS);
  EXPECT_EQ(decrypt(client, key, old), WVDS_SUCCESS);
  ASSERT_EQ(wvds_key_delete(client.get(), key, 1), WVDS_SUCCESS);
  EXPECT_EQ(decrypt(client, key, old), WVDS_DECRYPTION_FAILED);
  EXPECT_EQ(decrypt(client, key, fresh), WVDS_SUCCESS);
}

}  // namespace
}  // namespace wvds::test
