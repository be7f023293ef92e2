#include "service/key_handlers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/mlkem_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

using protocol::KeyFormat;

class Keys : public ::testing::Test {
 protected:
  Answer import(TestSession& session, Algorithm algorithm, KeyFormat format, Bytes material, Usages usages = 0) {
    const protocol::KeyTemplate key{algorithm, Lifetime::kVolatile, usages, 0, "imported"};
    Buffer payload(256 + material.size());
    const auto length = protocol::encode_key_import_request(key, format, material, payload);
    EXPECT_TRUE(length.has_value());
    payload.resize(length.value_or(0));
    return session.call(Operation::kKeyImport, payload);
  }
  static uint32_t id_of(const Answer& answer) {
    EXPECT_EQ(answer.status, Status::kSuccess);
    const auto created = protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload));
    return created ? created->key_id : 0;
  }
  protocol::KeyInfoAnswer info(TestSession& session, uint32_t key) {
    const Answer answer = session.key_request(Operation::kKeyInfo, key);
    EXPECT_EQ(answer.status, Status::kSuccess);
    auto decoded = protocol::KeyInfoAnswer::decode(UntrustedBytes(answer.payload));
    return decoded ? *decoded : protocol::KeyInfoAnswer{};
  }
  protocol::KeyListAnswer list(TestSession& session, uint32_t after = 0) {
    const Answer answer = session.key_request(Operation::kKeyList, after);
    EXPECT_EQ(answer.status, Status::kSuccess);
    auto decoded = protocol::KeyListAnswer::decode(UntrustedBytes(answer.payload));
    return decoded ? *decoded : protocol::KeyListAnswer{};
  }
  uint32_t rotate(uint32_t key) {
    const Answer answer = session_.key_request(Operation::kKeyRotate, key);
    EXPECT_EQ(answer.status, Status::kSuccess);
    const auto rotated = protocol::KeyRotateAnswer::decode(UntrustedBytes(answer.payload));
    return rotated ? rotated->version : 0;
  }

  Harness harness_;
  TestSession session_ = harness_.open(kGateway);
};

TEST_F(Keys, AreMadeWithWhatWasAskedFor) {
  const uint32_t key = session_.generate(Algorithm::kMlDsa87, Usage::kSign | Usage::kSignMu, Lifetime::kPersistent);
  const protocol::KeyInfoAnswer about = info(session_, key);
  EXPECT_EQ(about.key_id, key);
  EXPECT_EQ(about.algorithm, Algorithm::kMlDsa87);
  EXPECT_EQ(about.usages, Usage::kSign | Usage::kSignMu);
  EXPECT_EQ(about.lifetime, Lifetime::kPersistent);
  EXPECT_EQ(about.owner, "gateway");
  EXPECT_EQ(about.label, "label");
  EXPECT_TRUE(about.inside_fips);
  EXPECT_NE(about.provider.find("FIPS"), std::string::npos) << about.provider;
  ASSERT_EQ(about.versions.size(), 1u);
  EXPECT_EQ(about.versions[0].state, protocol::KeyVersionState::kActive);
}

TEST_F(Keys, ArePersistentUnlessAskedOtherwise) {
  EXPECT_EQ(info(session_, session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kDefault)).lifetime,
            Lifetime::kPersistent);
}

TEST_F(Keys, TellTheirLimitsAndWindow) {
  const uint32_t key = session_.generate(Algorithm::kAes256Gcm);
  const Answer text = session_.encrypt(key, "x");
  ASSERT_EQ(session_.decrypt(key, text.payload).status, Status::kSuccess);
  const protocol::KeyInfoAnswer about = info(session_, key);
  EXPECT_GE(about.versions.at(0).uses, 1u);
  EXPECT_EQ(about.versions[0].use_limit, 1ull << 32);
  EXPECT_EQ(about.versions[0].window_used, 1u);
  EXPECT_EQ(about.versions[0].window_capacity, 1'000'000u);
  EXPECT_EQ(about.flags, 0);
  const uint32_t at_rest =
      session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile, protocol::kKeyFlagReplayWindowOff);
  EXPECT_EQ(info(session_, at_rest).flags, protocol::kKeyFlagReplayWindowOff);
  EXPECT_EQ(info(session_, at_rest).versions.at(0).window_capacity, 0u);
}

TEST_F(Keys, RefuseUsagesThatDoNotFit) {
  protocol::KeyGenerateRequest request;
  request.key = {Algorithm::kAes256Gcm, Lifetime::kVolatile, static_cast<Usages>(Usage::kSign), 0, ""};
  Buffer payload(protocol::kKeyTemplateFixedSize);
  ASSERT_TRUE(request.encode(payload).has_value());
  EXPECT_EQ(session_.call(Operation::kKeyGenerate, payload).status, Status::kInvalidPayload);
}

TEST_F(Keys, SurviveARestartWhenTheyArePersistent) {
  const auto ids = [&] {
    TestSession session = harness_.open(kBackend);
    return std::pair(session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent),
                     session.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile));
  }();
  Harness harness;
  const uint32_t persistent = harness.open().generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  const uint32_t in_memory = harness.open().generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile);
  const Buffer text = harness.open().encrypt(persistent, "before").payload;
  harness.restart();
  TestSession after = harness.open();
  EXPECT_EQ(text_of(after.decrypt(persistent, text).payload), "before");
  EXPECT_EQ(after.encrypt(in_memory, "x").status, Status::kKeyNotFound);
  EXPECT_NE(ids.first, ids.second);
}

TEST_F(Keys, OfASessionEndWithIt) {
  uint32_t key = 0;
  {
    TestSession ending = harness_.open();
    key = ending.generate(Algorithm::kAes256Gcm, 0, Lifetime::kSession);
    EXPECT_EQ(ending.encrypt(key, "x").status, Status::kSuccess);
    EXPECT_EQ(session_.encrypt(key, "x").status, Status::kKeyNotFound) << "nor are they another session's";
  }
  EXPECT_EQ(session_.encrypt(key, "x").status, Status::kKeyNotFound);
  EXPECT_EQ(harness_.service().state().store->counts().in_memory, 0u);
}

TEST_F(Keys, AreImportedFromTheirRawBytes) {
  const Buffer raw(32, std::byte{0x42});
  const uint32_t one = id_of(import(session_, Algorithm::kAes256Gcm, KeyFormat::kRaw, raw));
  TestSession backend = harness_.open(kBackend);
  const uint32_t two = id_of(import(backend, Algorithm::kAes256Gcm, KeyFormat::kRaw, raw));
  EXPECT_EQ(text_of(backend.decrypt(two, session_.encrypt(one, "shared").payload).payload), "shared");
}

TEST_F(Keys, AreImportedFromASeed) {
  const uint32_t one = id_of(import(session_, Algorithm::kMlDsa44, KeyFormat::kSeed, Buffer(32, std::byte{1})));
  const uint32_t two = id_of(import(session_, Algorithm::kMlDsa44, KeyFormat::kSeed, Buffer(32, std::byte{1})));
  EXPECT_EQ(session_.public_key(one), session_.public_key(two));
  EXPECT_EQ(session_.public_key(id_of(import(session_, Algorithm::kMlKem512, KeyFormat::kSeed, Buffer(64)))).size(),
            800u);
}

TEST_F(Keys, AreImportedFromAPublicKeyForItsUsesOnly) {
  const uint32_t own = session_.generate(Algorithm::kMlDsa44);
  const uint32_t imported = id_of(import(session_, Algorithm::kMlDsa44, KeyFormat::kPublic, session_.public_key(own)));
  EXPECT_EQ(info(session_, imported).usages, static_cast<Usages>(Usage::kVerify));
  EXPECT_EQ(session_.verify(imported, "m", session_.sign(own, "m").payload).status, Status::kSuccess);
  EXPECT_EQ(session_.sign(imported, "m").status, Status::kWrongKeyUsage);
}

TEST_F(Keys, AreNotImportedFromMaterialOfAnotherSizeOrFormat) {
  const struct {
    Algorithm algorithm;
    KeyFormat format;
    size_t size;
  } wrong[] = {
      {Algorithm::kAes256Gcm, KeyFormat::kRaw, 0},     {Algorithm::kAes256Gcm, KeyFormat::kRaw, 31},
      {Algorithm::kAes256Gcm, KeyFormat::kRaw, 33},    {Algorithm::kAes256Gcm, KeyFormat::kSeed, 32},
      {Algorithm::kAes256Gcm, KeyFormat::kPkcs8, 100}, {Algorithm::kAes256Gcm, KeyFormat::kPublic, 32},
      {Algorithm::kMlDsa44, KeyFormat::kSeed, 64},     {Algorithm::kMlDsa44, KeyFormat::kRaw, 32},
      {Algorithm::kMlKem768, KeyFormat::kSeed, 32},    {Algorithm::kMlKem768, KeyFormat::kPublic, 1185},
      {Algorithm::kMlKem768, KeyFormat::kPkcs8, 64},   {Algorithm::kMlDsa65, KeyFormat::kPkcs8, 60'000},
  };
  for (const auto& material : wrong) {
    EXPECT_EQ(import(session_, material.algorithm, material.format, Buffer(material.size)).status,
              Status::kInvalidPayload)
        << algorithm_info(material.algorithm)->name << " " << static_cast<int>(material.format) << " " << material.size;
  }
}

TEST_F(Keys, ImportIsARightOfItsOwn) {
  TestSession reader = harness_.open(kReader);
  EXPECT_EQ(import(reader, Algorithm::kAes256Gcm, KeyFormat::kRaw, Buffer(32)).status, Status::kDenied);
}

TEST_F(Keys, ImportLeavesNoSecretInTheRequestArea) {
  const Buffer secret = bytes_of("0123456789abcdefghijklmnopqrstuv");
  const auto holds_secret = [&] {
    const Buffer& area = session_.request_area();
    return std::search(area.begin(), area.end(), secret.begin(), secret.end()) != area.end();
  };
  ASSERT_EQ(import(session_, Algorithm::kAes256Gcm, KeyFormat::kRaw, secret).status, Status::kSuccess);
  EXPECT_FALSE(holds_secret());
  ASSERT_EQ(import(session_, Algorithm::kMlDsa44, KeyFormat::kRaw, secret).status, Status::kInvalidPayload);
  EXPECT_FALSE(holds_secret()) << "nor after a failure";
  ASSERT_NE(session_.call(Operation::kAesEncrypt, secret).status, Status::kSuccess);
  EXPECT_TRUE(holds_secret()) << "the test can see one";
}

TEST_F(Keys, AreListedInOrderAndOnlyTheCallers) {
  TestSession backend = harness_.open(kBackend);
  const uint32_t first = session_.generate(Algorithm::kAes256Gcm);
  backend.generate(Algorithm::kAes256Gcm);
  const uint32_t second = session_.generate(Algorithm::kMlDsa44);
  const protocol::KeyListAnswer all = list(session_);
  ASSERT_EQ(all.entries.size(), 2u);
  EXPECT_FALSE(all.more);
  EXPECT_EQ(all.entries[0].key_id, first);
  EXPECT_EQ(all.entries[0].versions, 1);
  EXPECT_EQ(all.entries[0].label, "label");
  EXPECT_EQ(all.entries[1].key_id, second);
  EXPECT_EQ(all.entries[1].algorithm, Algorithm::kMlDsa44);
  EXPECT_EQ(list(session_, first).entries.size(), 1u);
}

TEST_F(Keys, AreListedInPages) {
  for (int i = 0; i < 300; ++i) session_.generate(Algorithm::kAes256Gcm);
  const protocol::KeyListAnswer first = list(session_);
  EXPECT_EQ(first.entries.size(), protocol::kMaxKeyListEntries);
  EXPECT_TRUE(first.more);
  const protocol::KeyListAnswer second = list(session_, first.entries.back().key_id);
  EXPECT_EQ(second.entries.size(), 300 - protocol::kMaxKeyListEntries);
  EXPECT_FALSE(second.more);
}

TEST_F(Keys, ShowTheirPublicKeyAndThatOfAnOlderVersion) {
  const uint32_t key = session_.generate(Algorithm::kMlDsa65);
  const Buffer old = session_.public_key(key);
  EXPECT_EQ(old.size(), algorithm_info(Algorithm::kMlDsa65)->public_key);
  const uint32_t version = rotate(key);
  EXPECT_NE(session_.public_key(key), old);
  EXPECT_EQ(session_.version_request(Operation::kKeyPublic, key, version - 1).payload, old);
  EXPECT_EQ(session_.version_request(Operation::kKeyPublic, key, version + 1).status, Status::kKeyNotFound);
  EXPECT_EQ(session_.version_request(Operation::kKeyPublic, session_.generate(Algorithm::kAes256Gcm), 0).status,
            Status::kWrongKeyType);
}

TEST_F(Keys, OfOthersAreNotThere) {
  const uint32_t key = session_.generate(Algorithm::kMlDsa44);
  TestSession backend = harness_.open(kBackend);
  for (const Operation operation : {Operation::kKeyInfo, Operation::kKeyRotate, Operation::kKeyRetire}) {
    EXPECT_EQ(backend.key_request(operation, key).status, Status::kKeyNotFound);
    EXPECT_EQ(backend.key_request(operation, key + 1000).status, Status::kKeyNotFound);
  }
  EXPECT_EQ(backend.version_request(Operation::kKeyPublic, key, 0).status, Status::kKeyNotFound);
  EXPECT_EQ(backend.version_request(Operation::kKeyDelete, key, 0).status, Status::kKeyNotFound);
  EXPECT_EQ(session_.sign(key, "m").status, Status::kSuccess);
}

TEST_F(Keys, DecryptWithFourVersionsAndHaveNoMore) {
  const uint32_t key =
      session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kVolatile, protocol::kKeyFlagReplayWindowOff);
  std::vector<Buffer> texts;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) rotate(key);
    texts.push_back(session_.encrypt(key, "version " + std::to_string(i)).payload);
  }
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(text_of(session_.decrypt(key, texts[i]).payload), "version " + std::to_string(i));
  }
  EXPECT_EQ(session_.key_request(Operation::kKeyRotate, key).status, Status::kLimitReached)
      << "nothing is lost unasked";
  const uint32_t oldest = info(session_, key).versions.back().number;
  ASSERT_EQ(session_.version_request(Operation::kKeyDelete, key, oldest).status, Status::kSuccess);
  EXPECT_EQ(session_.decrypt(key, texts[0]).status, Status::kDecryptionFailed);
  EXPECT_NE(rotate(key), 0u);
  EXPECT_EQ(text_of(session_.decrypt(key, texts[1]).payload), "version 1");
}

TEST_F(Keys, RetiredAndPublicOnesAreNotRotated) {
  const uint32_t retired = session_.generate(Algorithm::kMlDsa44);
  ASSERT_EQ(session_.key_request(Operation::kKeyRetire, retired).status, Status::kSuccess);
  EXPECT_EQ(session_.key_request(Operation::kKeyRotate, retired).status, Status::kWrongKeyUsage);
  const Buffer public_key = session_.public_key(retired);
  const uint32_t imported = id_of(import(session_, Algorithm::kMlDsa44, KeyFormat::kPublic, public_key));
  EXPECT_EQ(session_.key_request(Operation::kKeyRotate, imported).status, Status::kWrongKeyType);
}

TEST_F(Keys, ForEncapsulationAreNotRotated) {
  EXPECT_EQ(session_.key_request(Operation::kKeyRotate, session_.generate(Algorithm::kMlKem768)).status,
            Status::kWrongKeyType);
}

TEST_F(Keys, KeepAWindowForEachVersion) {
  const uint32_t key = session_.generate(Algorithm::kAes256Gcm);
  const Buffer text = session_.encrypt(key, "old").payload;
  ASSERT_EQ(session_.decrypt(key, text).status, Status::kSuccess);
  rotate(key);
  EXPECT_EQ(session_.decrypt(key, text).status, Status::kNonceReuse);
  EXPECT_EQ(info(session_, key).versions.at(0).window_used, 0u);
  EXPECT_EQ(info(session_, key).versions.at(1).window_used, 1u);
}

TEST_F(Keys, RotationReachesTheOtherSessions) {
  const uint32_t key = session_.generate(Algorithm::kAes256Gcm);
  TestSession other = harness_.open();
  ASSERT_EQ(other.encrypt(key, "warm").status, Status::kSuccess);
  rotate(key);
  ASSERT_EQ(other.encrypt(key, "x").status, Status::kSuccess);
  EXPECT_GE(info(session_, key).versions.at(0).uses, 1u) << "it was the new version that encrypted";
}

TEST_F(Keys, RetiredDecryptAndNoLongerEncrypt) {
  const uint32_t key = session_.generate(Algorithm::kAes256Gcm);
  TestSession other = harness_.open();
  const Buffer text = other.encrypt(key, "x").payload;
  ASSERT_EQ(session_.key_request(Operation::kKeyRetire, key).status, Status::kSuccess);
  EXPECT_EQ(other.encrypt(key, "x").status, Status::kWrongKeyUsage);
  EXPECT_EQ(other.decrypt(key, text).status, Status::kSuccess);
  EXPECT_EQ(info(session_, key).versions.at(0).state, protocol::KeyVersionState::kRetired);
}

TEST_F(Keys, DeletedAreGoneForEverybody) {
  const uint32_t key = session_.generate(Algorithm::kAes256Gcm, 0, Lifetime::kPersistent);
  TestSession other = harness_.open();
  const Buffer text = other.encrypt(key, "x").payload;
  ASSERT_EQ(session_.version_request(Operation::kKeyDelete, key, 0).status, Status::kSuccess);
  EXPECT_EQ(other.encrypt(key, "x").status, Status::kKeyNotFound);
  EXPECT_EQ(other.decrypt(key, text).status, Status::kKeyNotFound);
  EXPECT_EQ(session_.version_request(Operation::kKeyDelete, key, 0).status, Status::kKeyNotFound);
  EXPECT_TRUE(list(session_).entries.empty());
}

TEST_F(Keys, LoseASingleVersion) {
  const uint32_t key = session_.generate(Algorithm::kAes256Gcm);
  const Buffer text = session_.encrypt(key, "old").payload;
  const uint32_t version = rotate(key);
  ASSERT_EQ(session_.version_request(Operation::kKeyDelete, key, version - 1).status, Status::kSuccess);
  EXPECT_EQ(session_.decrypt(key, text).status, Status::kDecryptionFailed);
  EXPECT_EQ(session_.encrypt(key, "x").status, Status::kSuccess);
}

TEST_F(Keys, AreLimitedInNumberForEachPrincipal) {
  config::ServiceConfig config = test_config();
  config.clients[0].limits.volatile_keys = 2;
  Harness harness(config);
  TestSession gateway = harness.open(kGateway);
  gateway.generate(Algorithm::kAes256Gcm);
  const uint32_t second = gateway.generate(Algorithm::kAes256Gcm);
  EXPECT_EQ(import(gateway, Algorithm::kAes256Gcm, KeyFormat::kRaw, Buffer(32)).status, Status::kLimitReached);
  EXPECT_EQ(import(gateway, Algorithm::kMlDsa44, KeyFormat::kSeed, Buffer(32)).status, Status::kLimitReached);
  TestSession backend = harness.open(kBackend);
  EXPECT_NE(backend.generate(Algorithm::kAes256Gcm), 0u);
  ASSERT_EQ(gateway.version_request(Operation::kKeyDelete, second, 0).status, Status::kSuccess);
  EXPECT_EQ(import(gateway, Algorithm::kAes256Gcm, KeyFormat::kRaw, Buffer(32)).status, Status::kSuccess);
}

}  // namespace
}  // namespace wvds::service::testing
