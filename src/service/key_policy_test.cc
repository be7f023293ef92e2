#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <thread>
#include <vector>

#include "protocol/mldsa_messages.h"
#include "protocol/mlkem_messages.h"
#include "service/testing/service_harness.h"

// Limits of a key and grants, at every operation: who may do what with a key, how often, and when.
namespace wvds::service::testing {
namespace {

constexpr uint64_t kBegin = 1'798'761'600;  // 2027-01-01T00:00:00Z, where the fake clock stands
constexpr uint64_t kEnd = 1'830'297'599;    // 2027-12-31T23:59:59Z
const std::string kMuOfPolicy(64, 'm');

// PolicyKeys that have, between them, every usage there is.
struct PolicyKeys {
  uint32_t aes = 0;
  uint32_t mldsa = 0;
  uint32_t kem_raw = 0;
  uint32_t kem_to_key = 0;
  uint32_t ecdsa = 0;
};

// What operations on the keys are fed with.
struct Inputs {
  Buffer sealed;
  Buffer signature;
  Buffer raw_ciphertext;
  Buffer to_key_ciphertext;
  Buffer ecdsa_signature;
};

class KeyPolicy : public ::testing::Test {
 protected:
  uint32_t make(TestSession& session, const protocol::KeyTemplate& key) {
    const Answer answer = try_make(session, key);
    EXPECT_EQ(answer.status, Status::kSuccess);
    const auto made = protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload));
    return made ? made->key_id : 0;
  }

  Answer try_make(TestSession& session, const protocol::KeyTemplate& key) {
    Buffer payload(256);
    const auto length = protocol::KeyGenerateRequest{key}.encode(payload);
    EXPECT_TRUE(length.has_value());
    payload.resize(length.value_or(0));
    return session.call(Operation::kKeyGenerate, payload);
  }

  // Without a replay window, so that a test can open one message several times.
  PolicyKeys make_keys(TestSession& session, const KeyLimits& limits = {}, Lifetime lifetime = Lifetime::kPersistent) {
    const auto key = [&](Algorithm algorithm, Usages usages, uint8_t flags = 0) {
      return make(session, {algorithm, lifetime, usages, flags, "", limits});
    };
    return {key(Algorithm::kAes256Gcm, 0, protocol::kKeyFlagReplayWindowOff),
            key(Algorithm::kMlDsa44, algorithm_info(Algorithm::kMlDsa44)->possible_usages),
            key(Algorithm::kMlKem512, Usage::kEncapsulate | Usage::kDecapsRaw),
            key(Algorithm::kMlKem512, Usage::kEncapsulate | Usage::kDecapsToKey),
            key(Algorithm::kEcdsaP256, algorithm_info(Algorithm::kEcdsaP256)->possible_usages)};
  }

  Answer encaps(TestSession& session, uint32_t key) {
    Buffer payload(8);
    EXPECT_TRUE(protocol::encode_mlkem_encaps_request(key, Algorithm::kNone, {}, payload).has_value());
    return session.call(Operation::kMlKemEncaps, payload);
  }
  Answer encaps_to_key(TestSession& session, uint32_t key) {
    Buffer payload(64);
    const auto length = protocol::encode_mlkem_encaps_to_key_request(key, Algorithm::kNone, {}, {}, payload);
    payload.resize(length.value_or(0));
    return session.call(Operation::kMlKemEncapsToKey, payload);
  }
  Answer decaps(TestSession& session, uint32_t key, Bytes ciphertext) {
    Buffer head(4);
    Writer(head).u32(key);
    return session.call(Operation::kMlKemDecaps, joined({head, ciphertext}));
  }
  Answer decaps_to_key(TestSession& session, uint32_t key, Bytes ciphertext, uint8_t flags = 0) {
    Buffer payload(2048);
    const protocol::MlKemToKeyOptions options{Lifetime::kDefault, flags, {}};
    const auto length = protocol::encode_mlkem_decaps_to_key_request(key, ciphertext, options, payload);
    payload.resize(length.value_or(0));
    return session.call(Operation::kMlKemDecapsToKey, payload);
  }

  Buffer ciphertext_for(TestSession& session, uint32_t key) {
    const Answer answer = encaps(session, key);
    const auto made = protocol::MlKemEncapsAnswer::decode(UntrustedBytes(answer.payload));
    EXPECT_TRUE(made.has_value());
    if (!made) return {};
    const Bytes ciphertext = made->ciphertext.in_place();
    return {ciphertext.begin(), ciphertext.end()};
  }

  Inputs make_inputs(TestSession& session, const PolicyKeys& keys) {
    return {session.encrypt(keys.aes, "text").payload, session.sign(keys.mldsa, "message", "context").payload,
            ciphertext_for(session, keys.kem_raw), ciphertext_for(session, keys.kem_to_key),
            session.ecdsa_sign(keys.ecdsa, "message").payload};
  }

  // Attempt is one operation with one key; `usages` are those of which one is enough for it.
  struct Attempt {
    const char* name;
    Usages usages;
    bool protects;  // something new
    bool counts;    // as a use
    std::function<Status(TestSession&)> run;
  };

  std::vector<Attempt> attempts(const PolicyKeys& keys, const Inputs& inputs) {
    const auto only = [](Usage usage) { return static_cast<Usages>(usage); };
    return {
        {"encrypt", only(Usage::kEncrypt), true, true, [=](auto& s) { return s.encrypt(keys.aes, "new").status; }},
        {"decrypt", only(Usage::kDecrypt), false, false,
         [=](auto& s) { return s.decrypt(keys.aes, inputs.sealed).status; }},
        {"sign", only(Usage::kSign), true, true, [=](auto& s) { return s.sign(keys.mldsa, "new", "c").status; }},
        {"sign as TLS does", Usage::kSign | Usage::kTlsAndCsr, true, true,
         [=](auto& s) { return s.sign(keys.mldsa, "new").status; }},
        {"sign a mu", only(Usage::kSignMu), true, true,
         [=](auto& s) { return s.sign(keys.mldsa, kMuOfPolicy, "", protocol::kMlDsaExternalMu).status; }},
        {"verify", only(Usage::kVerify), false, false,
         [=](auto& s) { return s.verify(keys.mldsa, "message", inputs.signature, "context").status; }},
        {"sign with ECDSA", Usage::kSign | Usage::kTlsAndCsr, true, true,
         [=](auto& s) { return s.ecdsa_sign(keys.ecdsa, "new").status; }},
        {"sign a digest with ECDSA", Usage::kSign | Usage::kTlsAndCsr, true, true,
         [=](auto& s) {
           return s.ecdsa_sign(keys.ecdsa, std::string(32, 'd'), Hash::kSha256, protocol::kEcdsaDigest).status;
         }},
        {"verify with ECDSA", only(Usage::kVerify), false, false,
         [=](auto& s) { return s.ecdsa_verify(keys.ecdsa, "message", inputs.ecdsa_signature).status; }},
        {"encapsulate", only(Usage::kEncapsulate), true, false,
         [=, this](auto& s) { return encaps(s, keys.kem_raw).status; }},
        {"encapsulate to a key", only(Usage::kEncapsulate), true, false,
         [=, this](auto& s) { return encaps_to_key(s, keys.kem_to_key).status; }},
        {"decapsulate raw", only(Usage::kDecapsRaw), false, true,
         [=, this](auto& s) { return decaps(s, keys.kem_raw, inputs.raw_ciphertext).status; }},
        {"decapsulate to a key", only(Usage::kDecapsToKey), false, true,
         [=, this](auto& s) { return decaps_to_key(s, keys.kem_to_key, inputs.to_key_ciphertext).status; }},
        {"decapsulate to two keys", only(Usage::kDecapsToKey), true, true,
         [=, this](auto& s) {
           return decaps_to_key(s, keys.kem_to_key, inputs.to_key_ciphertext, protocol::kDuplex).status;
         }},
    };
  }

  // grant lets the backend use the gateway's keys.
  void grant(const PolicyKeys& keys, Usages usages) {
    config::ServiceConfig config = test_config();
    config.clients[1].grants.clear();
    for (const uint32_t id : {keys.aes, keys.mldsa, keys.kem_raw, keys.kem_to_key, keys.ecdsa})
      config.clients[1].grants.push_back({.id = id, .usages = usages, .context = {}});
    ASSERT_TRUE(harness_.service().reload(config));
  }

  void set_time(uint64_t seconds) { harness_.clock().set_wall_time(seconds); }

  Harness harness_;
  TestSession gateway_ = harness_.open(kGateway);
  TestSession backend_ = harness_.open(kBackend);
};

// ---- Grants

constexpr Usage kAllUsages[] = {Usage::kEncrypt,   Usage::kDecrypt,     Usage::kSign,
                                Usage::kVerify,    Usage::kSignMu,      Usage::kEncapsulate,
                                Usage::kDecapsRaw, Usage::kDecapsToKey, Usage::kTlsAndCsr};

TEST_F(KeyPolicy, AGrantGivesTheUsagesThatItNamesAndNoOther) {
  const PolicyKeys keys = make_keys(gateway_);
  const auto all = attempts(keys, make_inputs(gateway_, keys));
  for (const Attempt& attempt : all) {
    EXPECT_EQ(attempt.run(gateway_), Status::kSuccess) << attempt.name;
    EXPECT_EQ(attempt.run(backend_), Status::kKeyNotFound) << attempt.name << " without a grant";
  }
  for (const Usage usage : kAllUsages) {
    grant(keys, static_cast<Usages>(usage));
    size_t given = 0;
    for (const Attempt& attempt : all) {
      const bool granted = allows(attempt.usages, usage);
      given += granted;
      EXPECT_EQ(attempt.run(backend_), granted ? Status::kSuccess : Status::kWrongKeyUsage)
          << attempt.name << " granted " << usage_name(usage);
    }
    EXPECT_GT(given, 0u) << usage_name(usage);
  }
}

TEST_F(KeyPolicy, AGrantOfMoreThanTheKeyHasGivesNothingMore) {
  const uint32_t reads = make(gateway_, {Algorithm::kAes256Gcm,
                                         Lifetime::kPersistent,
                                         static_cast<Usages>(Usage::kDecrypt),
                                         protocol::kKeyFlagReplayWindowOff,
                                         "",
                                         {}});
  const uint32_t verifies =
      make(gateway_, {Algorithm::kMlDsa44, Lifetime::kPersistent, static_cast<Usages>(Usage::kVerify), 0, "", {}});
  const uint32_t raw =
      make(gateway_, {Algorithm::kMlKem512, Lifetime::kPersistent, static_cast<Usages>(Usage::kDecapsRaw), 0, "", {}});
  grant({reads, verifies, raw, raw, raw}, 0x01ff);
  EXPECT_EQ(backend_.encrypt(reads, "text").status, Status::kWrongKeyUsage);
  EXPECT_EQ(backend_.sign(verifies, "m").status, Status::kWrongKeyUsage);
  EXPECT_EQ(backend_.sign(verifies, kMuOfPolicy, "", protocol::kMlDsaExternalMu).status, Status::kWrongKeyUsage);
  EXPECT_EQ(encaps(backend_, raw).status, Status::kWrongKeyUsage);
  EXPECT_EQ(decaps_to_key(backend_, raw, Buffer(768)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(decaps(backend_, raw, Buffer(768)).status, Status::kSuccess) << "what it has it gives";
  const Answer info = backend_.key_request(Operation::kKeyInfo, verifies);
  EXPECT_EQ(protocol::KeyInfoAnswer::decode(UntrustedBytes(info.payload))->usages, static_cast<Usages>(Usage::kVerify));
}

TEST_F(KeyPolicy, AGrantGivesNoManagement) {
  const PolicyKeys keys = make_keys(gateway_);
  grant(keys, 0x01ff);
  for (const Operation operation : {Operation::kKeyRotate, Operation::kKeyRetire})
    EXPECT_EQ(backend_.key_request(operation, keys.aes).status, Status::kDenied);
  EXPECT_EQ(backend_.version_request(Operation::kKeyDelete, keys.aes, 0).status, Status::kDenied);
  EXPECT_EQ(backend_.version_request(Operation::kKeyDelete, keys.aes, 1).status, Status::kDenied);
}

// ---- Uses

TEST_F(KeyPolicy, CountsWhatIsDoneWithTheSecretAndNothingElse) {
  for (const Lifetime lifetime : {Lifetime::kPersistent, Lifetime::kVolatile, Lifetime::kSession}) {
    const PolicyKeys unlimited = make_keys(gateway_, {}, lifetime);
    const size_t count = attempts(unlimited, {}).size();
    for (size_t i = 0; i < count; ++i) {
      // Making the inputs takes one encryption and one signature.
      const PolicyKeys keys = make_keys(gateway_, {.max_uses = 3}, lifetime);
      const Attempt attempt = attempts(keys, make_inputs(gateway_, keys))[i];
      const bool on_used_key = attempt.protects && attempt.counts && !allows(attempt.usages, Usage::kDecapsToKey);
      for (int use = 0; use < (on_used_key ? 2 : 3); ++use)
        EXPECT_EQ(attempt.run(gateway_), Status::kSuccess) << attempt.name;
      EXPECT_EQ(attempt.run(gateway_), attempt.counts ? Status::kKeyUsedUp : Status::kSuccess) << attempt.name;
    }
  }
}

TEST_F(KeyPolicy, CountsTheUsesOfThoseItIsGrantedToAsTheOwners) {
  const PolicyKeys keys = make_keys(gateway_, {.max_uses = 2});
  grant(keys, static_cast<Usages>(Usage::kSign));
  EXPECT_EQ(gateway_.sign(keys.mldsa, "one").status, Status::kSuccess);
  EXPECT_EQ(backend_.sign(keys.mldsa, "two").status, Status::kSuccess);
  EXPECT_EQ(backend_.sign(keys.mldsa, "three").status, Status::kKeyUsedUp);
  EXPECT_EQ(gateway_.sign(keys.mldsa, "three").status, Status::kKeyUsedUp);
  ASSERT_EQ(gateway_.key_request(Operation::kKeyRotate, keys.mldsa).status, Status::kSuccess);
  EXPECT_EQ(backend_.sign(keys.mldsa, "three").status, Status::kSuccess);
}

TEST_F(KeyPolicy, DoesNotCountWhatIsRefused) {
  const PolicyKeys keys = make_keys(gateway_, {.max_uses = 1});
  EXPECT_EQ(decaps(gateway_, keys.kem_raw, Buffer(767)).status, Status::kInvalidPayload);
  EXPECT_EQ(decaps_to_key(gateway_, keys.kem_raw, Buffer(768)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(backend_.sign(keys.mldsa, "m").status, Status::kKeyNotFound);
  EXPECT_EQ(gateway_.sign(keys.mldsa, kMuOfPolicy, "context", protocol::kMlDsaExternalMu).status,
            Status::kInvalidPayload);
  EXPECT_EQ(decaps(gateway_, keys.kem_raw, Buffer(768)).status, Status::kSuccess);
  EXPECT_EQ(gateway_.sign(keys.mldsa, "m").status, Status::kSuccess);
}

TEST_F(KeyPolicy, GoesOnCountingAfterARestart) {
  const PolicyKeys keys = make_keys(gateway_, {.max_uses = 3});
  EXPECT_EQ(gateway_.sign(keys.mldsa, "one").status, Status::kSuccess);
  EXPECT_EQ(gateway_.sign(keys.mldsa, "two").status, Status::kSuccess);
  gateway_ = TestSession(nullptr), backend_ = TestSession(nullptr);
  harness_.restart();
  gateway_ = harness_.open(kGateway);
  EXPECT_EQ(gateway_.sign(keys.mldsa, "three").status, Status::kSuccess);
  EXPECT_EQ(gateway_.sign(keys.mldsa, "four").status, Status::kKeyUsedUp);
}

TEST_F(KeyPolicy, RefusesUsesToCountForAKeyThatHasNone) {
  const auto refused = [&](Algorithm algorithm, Usage usage) {
    return try_make(gateway_, {algorithm, Lifetime::kVolatile, static_cast<Usages>(usage), 0, "", {.max_uses = 1}})
               .status == Status::kInvalidPayload;
  };
  EXPECT_TRUE(refused(Algorithm::kAes256Gcm, Usage::kDecrypt));
  EXPECT_TRUE(refused(Algorithm::kMlDsa44, Usage::kVerify));
  EXPECT_TRUE(refused(Algorithm::kMlKem512, Usage::kEncapsulate));
  EXPECT_FALSE(refused(Algorithm::kMlKem512, Usage::kDecapsRaw));
}

// ---- Dates

TEST_F(KeyPolicy, DatesBindWhatEachOperationProtectsOrProcesses) {
  const KeyLimits year{.max_uses = 0, .not_before = kBegin, .not_after = kEnd};
  for (const Lifetime lifetime : {Lifetime::kPersistent, Lifetime::kVolatile, Lifetime::kSession}) {
    set_time(kBegin);
    const PolicyKeys keys = make_keys(gateway_, year, lifetime);
    for (const Attempt& attempt : attempts(keys, make_inputs(gateway_, keys))) {
      const Status late = attempt.protects ? Status::kKeyNotValid : Status::kSuccess;
      for (const auto& [time, expected] : {std::pair<uint64_t, Status>{kBegin - 1, Status::kKeyNotValid},
                                           {kBegin, Status::kSuccess},
                                           {kEnd, Status::kSuccess},
                                           {kEnd + 1, late},
                                           {0, Status::kKeyNotValid}}) {
        set_time(time);
        EXPECT_EQ(attempt.run(gateway_), expected) << attempt.name << " at " << time;
      }
    }
  }
}

TEST_F(KeyPolicy, DatesBindThoseWhomTheKeyWasGrantedTo) {
  const PolicyKeys keys = make_keys(gateway_, {.not_after = kEnd});
  grant(keys, 0x01ff);
  set_time(kEnd);
  EXPECT_EQ(backend_.sign(keys.mldsa, "m").status, Status::kSuccess);
  set_time(kEnd + 1);
  EXPECT_EQ(backend_.sign(keys.mldsa, "m").status, Status::kKeyNotValid);
  EXPECT_EQ(encaps(backend_, keys.kem_raw).status, Status::kKeyNotValid);
}

TEST_F(KeyPolicy, AKeyThatHasEndedIsNotRotatedButManaged) {
  const PolicyKeys keys = make_keys(gateway_, {.not_after = kEnd});
  set_time(kEnd + 1);
  EXPECT_EQ(gateway_.key_request(Operation::kKeyRotate, keys.aes).status, Status::kKeyNotValid);
  for (const Operation operation : {Operation::kKeyInfo, Operation::kKeyRetire})
    EXPECT_EQ(gateway_.key_request(operation, keys.mldsa).status, Status::kSuccess);
  EXPECT_FALSE(gateway_.public_key(keys.mldsa).empty());
  EXPECT_EQ(gateway_.version_request(Operation::kKeyDelete, keys.mldsa, 0).status, Status::kSuccess);
}

TEST_F(KeyPolicy, AKeyWithoutDatesNeedsNoClock) {
  const PolicyKeys keys = make_keys(gateway_, {.max_uses = 1000});
  const auto all = attempts(keys, make_inputs(gateway_, keys));
  set_time(0);
  for (const Attempt& attempt : all) EXPECT_EQ(attempt.run(gateway_), Status::kSuccess) << attempt.name;
}

TEST_F(KeyPolicy, InfoTellsTheLimits) {
  const KeyLimits limits{.max_uses = 10, .not_before = kBegin, .not_after = kEnd};
  const PolicyKeys keys = make_keys(gateway_, limits);
  EXPECT_EQ(gateway_.encrypt(keys.aes, "text").status, Status::kSuccess);
  const Answer answer = gateway_.key_request(Operation::kKeyInfo, keys.aes);
  const auto info = protocol::KeyInfoAnswer::decode(UntrustedBytes(answer.payload));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->limits, limits);
  EXPECT_EQ(info->versions[0].use_limit, 10u);
  EXPECT_EQ(info->versions[0].uses, 1u);
}

TEST_F(KeyPolicy, StatusWarnsOfUsesAndOfTheEnd) {
  const PolicyKeys keys = make_keys(gateway_, {.max_uses = 4, .not_after = kEnd});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(gateway_.sign(keys.mldsa, "m").status, Status::kSuccess);
  const std::string key = "key " + std::to_string(keys.mldsa);
  const auto warnings = [&] { return text_of(gateway_.call(Operation::kStatus, {}).payload); };
  EXPECT_NE(warnings().find(key + " version 1 has used 3 of its 4 uses"), std::string::npos);
  EXPECT_EQ(warnings().find("protects nothing new"), std::string::npos);
  set_time(kEnd - 86'400);
  EXPECT_NE(warnings().find(key + " protects nothing new after 2027-12-31T23:59:59Z"), std::string::npos);
}

// ---- Automatic rotation

TEST(AutomaticRotation, GoesByTheKeysOwnLimit) {
  config::ServiceConfig config = test_config();
  config.keys.rotate_at_percent = 50;
  Harness harness(config);
  TestSession session = harness.open(kGateway);
  protocol::KeyGenerateRequest request;
  request.key = {Algorithm::kAes256Gcm, Lifetime::kPersistent, 0, 0, "", {.max_uses = 10}};
  Buffer payload(64);
  payload.resize(request.encode(payload).value());
  const Answer made = session.call(Operation::kKeyGenerate, payload);
  const uint32_t key = protocol::KeyCreatedAnswer::decode(UntrustedBytes(made.payload))->key_id;
  const auto newest = [&] {
    const Answer info = session.key_request(Operation::kKeyInfo, key);
    return protocol::KeyInfoAnswer::decode(UntrustedBytes(info.payload))->versions.front().number;
  };
  for (int i = 0; i < 4; ++i) EXPECT_EQ(session.encrypt(key, "text").status, Status::kSuccess);
  EXPECT_EQ(newest(), 1u);
  EXPECT_EQ(session.encrypt(key, "text").status, Status::kSuccess);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (newest() == 1 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  EXPECT_EQ(newest(), 2u);
}

}  // namespace
}  // namespace wvds::service::testing
