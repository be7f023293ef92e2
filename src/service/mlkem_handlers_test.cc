#include "service/mlkem_handlers.h"

#include <gtest/gtest.h>

#include "protocol/mlkem_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

constexpr Usages kRaw = Usage::kEncapsulate | Usage::kDecapsRaw;
constexpr Usages kToKey = Usage::kEncapsulate | Usage::kDecapsToKey;
constexpr Algorithm kAll[] = {Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024};

struct Encapsulated {
  Buffer secret;
  Buffer ciphertext;
};

struct Derived {
  Status status = Status::kInternalError;
  uint32_t encrypts = 0;
  uint32_t decrypts = 0;
  Buffer ciphertext;
};

Buffer buffer(UntrustedBytes bytes) { return {bytes.in_place().begin(), bytes.in_place().end()}; }

Derived derived(const Answer& answer) {
  Derived out;
  out.status = answer.status;
  if (answer.status != Status::kSuccess) return out;
  const auto keys = protocol::DerivedKeysAnswer::decode(UntrustedBytes(answer.payload));
  if (!keys) return Derived{};
  return {answer.status, keys->encrypt_key_id, keys->decrypt_key_id, buffer(keys->ciphertext)};
}

class MlKem : public ::testing::Test {
 protected:
  Answer encaps(TestSession& session, uint32_t id, Algorithm algorithm = Algorithm::kNone, Bytes public_key = {}) {
    Buffer payload(8 + public_key.size());
    EXPECT_TRUE(protocol::encode_mlkem_encaps_request(id, algorithm, public_key, payload).has_value());
    return session.call(Operation::kMlKemEncaps, payload);
  }
  Encapsulated encapsulated(uint32_t id) {
    const Answer answer = encaps(gateway_, id);
    EXPECT_EQ(answer.status, Status::kSuccess);
    const auto made = protocol::MlKemEncapsAnswer::decode(UntrustedBytes(answer.payload));
    EXPECT_TRUE(made.has_value());
    return {buffer(made->shared_secret), buffer(made->ciphertext)};
  }
  Answer decaps(uint32_t id, Bytes ciphertext) {
    Buffer head(4);
    Writer(head).u32(id);
    return gateway_.call(Operation::kMlKemDecaps, joined({head, ciphertext}));
  }
  Derived encaps_to_key(TestSession& session, Algorithm algorithm, Bytes public_key,
                        const protocol::MlKemToKeyOptions& options) {
    Buffer payload(2048 + public_key.size());
    const auto length = protocol::encode_mlkem_encaps_to_key_request(0, algorithm, public_key, options, payload);
    EXPECT_TRUE(length.has_value());
    payload.resize(length.value_or(0));
    return derived(session.call(Operation::kMlKemEncapsToKey, payload));
  }
  Derived decaps_to_key(TestSession& session, uint32_t id, Bytes ciphertext,
                        const protocol::MlKemToKeyOptions& options) {
    Buffer payload(2048 + ciphertext.size());
    const auto length = protocol::encode_mlkem_decaps_to_key_request(id, ciphertext, options, payload);
    EXPECT_TRUE(length.has_value());
    payload.resize(length.value_or(0));
    return derived(session.call(Operation::kMlKemDecapsToKey, payload));
  }
  Answer keygen(const protocol::MlKemKeygenRequest& request) {
    Buffer payload(4);
    EXPECT_TRUE(request.encode(payload).has_value());
    return gateway_.call(Operation::kMlKemKeygen, payload);
  }

  Harness harness_;
  TestSession gateway_ = harness_.open(kGateway);
  TestSession backend_ = harness_.open(kBackend);
};

TEST_F(MlKem, KeygenMakesASessionKeyThatDecapsulatesToKeys) {
  const Answer answer = keygen({.algorithm = Algorithm::kMlKem768});
  ASSERT_EQ(answer.status, Status::kSuccess);
  const auto made = protocol::KeyCreatedAnswer::decode(UntrustedBytes(answer.payload));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->public_key.size(), algorithm_info(Algorithm::kMlKem768)->public_key);
  const Answer answered = gateway_.key_request(Operation::kKeyInfo, made->key_id);
  const auto info = protocol::KeyInfoAnswer::decode(UntrustedBytes(answered.payload));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->lifetime, Lifetime::kSession);
  EXPECT_EQ(info->usages, kToKey);
}

TEST_F(MlKem, KeygenRefusesOtherAlgorithmsAndBothKindsOfDecapsulation) {
  EXPECT_EQ(gateway_.call(Operation::kMlKemKeygen, Buffer{std::byte{0x11}, {}, {}, {}}).status,
            Status::kInvalidPayload);
  EXPECT_EQ(keygen({.algorithm = Algorithm::kMlKem768, .usages = kRaw | Usage::kDecapsToKey}).status,
            Status::kInvalidPayload);
}

TEST_F(MlKem, BothSidesGetTheSameSecret) {
  for (const Algorithm algorithm : kAll) {
    const uint32_t key = gateway_.generate(algorithm, kRaw);
    const Encapsulated made = encapsulated(key);
    const Answer opened = decaps(key, made.ciphertext);
    EXPECT_EQ(opened.status, Status::kSuccess);
    EXPECT_EQ(opened.payload, made.secret);
  }
}

TEST_F(MlKem, EncapsulatesToAKeyInTheRequest) {
  const uint32_t key = gateway_.generate(Algorithm::kMlKem768, kRaw);
  const Answer answer = encaps(backend_, 0, Algorithm::kMlKem768, gateway_.public_key(key));
  ASSERT_EQ(answer.status, Status::kSuccess);
  const auto made = protocol::MlKemEncapsAnswer::decode(UntrustedBytes(answer.payload));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(decaps(key, made->ciphertext.in_place()).payload, buffer(made->shared_secret));
}

TEST_F(MlKem, RefusesAPublicKeyOfAnotherSizeOrNone) {
  Buffer head(8);
  Writer writer(head);
  writer.u32(0);
  writer.u8(static_cast<uint8_t>(Algorithm::kMlKem768));
  EXPECT_EQ(gateway_.call(Operation::kMlKemEncaps, joined({head, Buffer(1183)})).status, Status::kInvalidPayload);
  EXPECT_EQ(gateway_.call(Operation::kMlKemEncaps, joined({head, Buffer(1185)})).status, Status::kInvalidPayload);
  const Buffer not_reduced(1184, std::byte{0xff});  // FIPS 203, section 7.2: the modulus check
  EXPECT_EQ(gateway_.call(Operation::kMlKemEncaps, joined({head, not_reduced})).status, Status::kInvalidPayload);
}

TEST_F(MlKem, RefusesACiphertextOfAnotherSize) {
  const uint32_t raw = gateway_.generate(Algorithm::kMlKem768, kRaw);
  const uint32_t to_key = gateway_.generate(Algorithm::kMlKem768, kToKey);
  for (const size_t size : {size_t{768}, size_t{1087}, size_t{1089}, size_t{1568}}) {
    EXPECT_EQ(decaps(raw, Buffer(size)).status, Status::kInvalidPayload) << size;
    Buffer head(8);
    Writer(head).u32(to_key);
    EXPECT_EQ(gateway_.call(Operation::kMlKemDecapsToKey, joined({head, Buffer(size)})).status, Status::kInvalidPayload)
        << size;
  }
}

TEST_F(MlKem, AWrongCiphertextGivesAnotherSecretAndNoError) {
  const uint32_t key = gateway_.generate(Algorithm::kMlKem768, kRaw);
  Encapsulated made = encapsulated(key);
  made.ciphertext[0] ^= std::byte{1};
  const Answer opened = decaps(key, made.ciphertext);
  EXPECT_EQ(opened.status, Status::kSuccess);
  EXPECT_NE(opened.payload, made.secret);
}

TEST_F(MlKem, HandsNoSecretOutOfAKeyThatDecapsulatesToKeys) {
  const uint32_t key = gateway_.generate(Algorithm::kMlKem768, kToKey);
  const Answer answer = decaps(key, encapsulated(key).ciphertext);
  EXPECT_EQ(answer.status, Status::kWrongKeyUsage);
  EXPECT_TRUE(answer.payload.empty());
}

TEST_F(MlKem, DerivesNoKeyFromAKeyThatDecapsulatesRaw) {
  const uint32_t key = gateway_.generate(Algorithm::kMlKem768, kRaw);
  EXPECT_EQ(decaps_to_key(gateway_, key, encapsulated(key).ciphertext, {}).status, Status::kWrongKeyUsage);
}

TEST_F(MlKem, RefusesKeysOfAnotherTypeOrOwner) {
  const uint32_t aes = gateway_.generate(Algorithm::kAes256Gcm);
  EXPECT_EQ(encaps(gateway_, aes).status, Status::kWrongKeyType);
  EXPECT_EQ(decaps(aes, Buffer(1088)).status, Status::kWrongKeyType);
  EXPECT_EQ(decaps(aes + 1000, Buffer(1088)).status, Status::kKeyNotFound);
  const uint32_t kem = gateway_.generate(Algorithm::kMlKem768);
  EXPECT_EQ(encaps(backend_, kem).status, Status::kKeyNotFound);
  EXPECT_EQ(decaps_to_key(backend_, kem, Buffer(1088), {}).status, Status::kKeyNotFound);
}

using Options = protocol::MlKemToKeyOptions;
const Options kDuplex{Lifetime::kDefault, protocol::kDuplex, {}};

class MlKemToKey : public MlKem {
 protected:
  struct Pair {
    Derived sender;    // the backend encapsulates
    Derived receiver;  // the gateway decapsulates
  };
  Pair agree(const protocol::MlKemToKeyOptions& sender, const protocol::MlKemToKeyOptions& receiver) {
    Pair pair;
    pair.sender = encaps_to_key(backend_, Algorithm::kMlKem768, gateway_.public_key(kem_), sender);
    pair.receiver = decaps_to_key(gateway_, kem_, pair.sender.ciphertext, receiver);
    EXPECT_EQ(pair.sender.status, Status::kSuccess);
    EXPECT_EQ(pair.receiver.status, Status::kSuccess);
    return pair;
  }

  uint32_t kem_ = gateway_.generate(Algorithm::kMlKem768);
};

TEST_F(MlKemToKey, GivesTheTwoSidesOneKey) {
  const Pair pair = agree({}, {});
  EXPECT_EQ(pair.sender.decrypts, 0u);
  EXPECT_EQ(pair.receiver.encrypts, 0u);
  EXPECT_TRUE(pair.receiver.ciphertext.empty());
  const Answer text = backend_.encrypt(pair.sender.encrypts, "over the wire", "aad");
  ASSERT_EQ(text.status, Status::kSuccess);
  EXPECT_EQ(text_of(gateway_.decrypt(pair.receiver.decrypts, text.payload, "aad").payload), "over the wire");
}

TEST_F(MlKemToKey, MakesEachKeyForOneDirection) {
  const Pair pair = agree({}, {});
  EXPECT_EQ(backend_.decrypt(pair.sender.encrypts, Buffer(28)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(gateway_.encrypt(pair.receiver.decrypts, "x").status, Status::kWrongKeyUsage);
}

TEST_F(MlKemToKey, MakesTwoKeysForTwoDirections) {
  const Pair pair = agree(kDuplex, kDuplex);
  const Answer there = backend_.encrypt(pair.sender.encrypts, "there");
  EXPECT_EQ(text_of(gateway_.decrypt(pair.receiver.decrypts, there.payload).payload), "there");
  const Answer back = gateway_.encrypt(pair.receiver.encrypts, "back");
  EXPECT_EQ(text_of(backend_.decrypt(pair.sender.decrypts, back.payload).payload), "back");
  EXPECT_EQ(backend_.decrypt(pair.sender.decrypts, there.payload).status, Status::kDecryptionFailed) << "reflected";
}

TEST_F(MlKemToKey, DependsOnTheContext) {
  const Pair pair = agree({Lifetime::kDefault, 0, as_bytes("one")}, {Lifetime::kDefault, 0, as_bytes("two")});
  const Answer text = backend_.encrypt(pair.sender.encrypts, "x");
  EXPECT_EQ(gateway_.decrypt(pair.receiver.decrypts, text.payload).status, Status::kDecryptionFailed);
}

TEST_F(MlKemToKey, KeepsTheReplayWindowUnlessAskedOtherwise) {
  const Pair with = agree({}, {});
  const Buffer text = backend_.encrypt(with.sender.encrypts, "x").payload;
  EXPECT_EQ(gateway_.decrypt(with.receiver.decrypts, text).status, Status::kSuccess);
  EXPECT_EQ(gateway_.decrypt(with.receiver.decrypts, text).status, Status::kNonceReuse);
  const Pair without = agree({}, {Lifetime::kDefault, protocol::kReplayWindowOff, {}});
  const Buffer other = backend_.encrypt(without.sender.encrypts, "x").payload;
  EXPECT_EQ(gateway_.decrypt(without.receiver.decrypts, other).status, Status::kSuccess);
  EXPECT_EQ(gateway_.decrypt(without.receiver.decrypts, other).status, Status::kSuccess);
}

TEST_F(MlKemToKey, MakesSessionKeysUnlessAskedOtherwise) {
  const Pair pair = agree({Lifetime::kVolatile, 0, {}}, {});
  TestSession other_backend = harness_.open(kBackend);
  TestSession other_gateway = harness_.open(kGateway);
  EXPECT_EQ(other_backend.encrypt(pair.sender.encrypts, "x").status, Status::kSuccess);
  EXPECT_EQ(other_gateway.decrypt(pair.receiver.decrypts, Buffer(28)).status, Status::kKeyNotFound);
}

TEST_F(MlKemToKey, LeavesNoHalfPairBehindAtALimit) {
  config::ServiceConfig config = test_config();
  config.clients[0].limits.session_keys = 1;
  Harness harness(config);
  TestSession session = harness.open(kGateway);
  const Buffer public_key = gateway_.public_key(kem_);
  EXPECT_EQ(encaps_to_key(session, Algorithm::kMlKem768, public_key, kDuplex).status, Status::kLimitReached);
  EXPECT_EQ(encaps_to_key(session, Algorithm::kMlKem768, public_key, {}).status, Status::kSuccess)
      << "the one place is free again";
}

TEST_F(MlKem, RetiredKeyDecapsulatesAndNoLongerEncapsulates) {
  const uint32_t key = gateway_.generate(Algorithm::kMlKem768, kRaw);
  const Encapsulated made = encapsulated(key);
  ASSERT_EQ(gateway_.key_request(Operation::kKeyRetire, key).status, Status::kSuccess);
  EXPECT_EQ(encaps(gateway_, key).status, Status::kWrongKeyUsage);
  EXPECT_EQ(decaps(key, made.ciphertext).payload, made.secret);
}

}  // namespace
}  // namespace wvds::service::testing
