#include "service/mldsa_handlers.h"

#include <gtest/gtest.h>

#include "protocol/mldsa_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

constexpr uint8_t kDeterministic = protocol::kMlDsaDeterministic;
constexpr uint8_t kMu = protocol::kMlDsaExternalMu;

class MlDsa : public ::testing::Test {
 protected:
  Buffer signature(uint32_t key, std::string_view message, std::string_view context = {}, uint8_t flags = 0) {
    const Answer answer = session_.sign(key, message, context, flags);
    EXPECT_EQ(answer.status, Status::kSuccess);
    return answer.payload;
  }

  Answer verify_raw(Algorithm algorithm, Bytes public_key, std::string_view message, Bytes signature) {
    protocol::MlDsaVerifyHead head;
    head.algorithm = algorithm;
    head.public_key = public_key;
    head.signature = signature;
    Buffer payload(protocol::kMlDsaVerifyFixedSize + public_key.size() + signature.size());
    EXPECT_TRUE(protocol::encode_mldsa_verify_head(head, payload).has_value());
    return session_.call(Operation::kMlDsaVerify, joined({payload, as_bytes(message)}));
  }

  Harness harness_;
  TestSession session_ = harness_.open();
  uint32_t key_ = session_.generate(Algorithm::kMlDsa65);
};

TEST_F(MlDsa, VerifiesWhatItSigned) {
  for (const Algorithm algorithm : {Algorithm::kMlDsa44, Algorithm::kMlDsa65, Algorithm::kMlDsa87}) {
    const uint32_t key = session_.generate(algorithm);
    const Buffer made = signature(key, "message", "context");
    EXPECT_EQ(made.size(), algorithm_info(algorithm)->signature);
    const Answer verified = session_.verify(key, "message", made, "context");
    EXPECT_EQ(verified.status, Status::kSuccess);
    EXPECT_TRUE(verified.payload.empty());
  }
}

TEST_F(MlDsa, VerifiesByAPublicKeyInTheRequest) {
  const Buffer made = signature(key_, "message");
  const Buffer public_key = session_.public_key(key_);
  EXPECT_EQ(verify_raw(Algorithm::kMlDsa65, public_key, "message", made).status, Status::kSuccess);
  EXPECT_EQ(verify_raw(Algorithm::kMlDsa65, public_key, "massage", made).status, Status::kSignatureInvalid);
}

TEST_F(MlDsa, RefusesAnotherMessageContextOrSignature) {
  Buffer made = signature(key_, "message", "context");
  EXPECT_EQ(session_.verify(key_, "messagE", made, "context").status, Status::kSignatureInvalid);
  EXPECT_EQ(session_.verify(key_, "message", made, "contexT").status, Status::kSignatureInvalid);
  EXPECT_EQ(session_.verify(key_, "message", made).status, Status::kSignatureInvalid);
  made[100] ^= std::byte{1};
  EXPECT_EQ(session_.verify(key_, "message", made, "context").status, Status::kSignatureInvalid);
}

TEST_F(MlDsa, RefusesAnotherKey) {
  const Buffer made = signature(key_, "message");
  EXPECT_EQ(session_.verify(session_.generate(Algorithm::kMlDsa65), "message", made).status, Status::kSignatureInvalid);
}

TEST_F(MlDsa, RefusesASignatureOfAnotherSize) {
  Buffer made = signature(key_, "message");
  made.pop_back();
  EXPECT_EQ(session_.verify(key_, "message", made).status, Status::kInvalidPayload);
  made.resize(algorithm_info(Algorithm::kMlDsa87)->signature);
  EXPECT_EQ(session_.verify(key_, "message", made).status, Status::kInvalidPayload);
  EXPECT_EQ(verify_raw(Algorithm::kMlDsa65, session_.public_key(key_), "message", made).status,
            Status::kInvalidPayload);
}

TEST_F(MlDsa, RefusesAPublicKeyOfAnotherSize) {
  const Buffer made = signature(key_, "message");
  Buffer payload(protocol::kMlDsaVerifyFixedSize);
  Writer writer(payload);  // key id 0, ML-DSA-65, and a public key of 10 bytes
  writer.u32(0);
  writer.u8(static_cast<uint8_t>(Algorithm::kMlDsa65));
  writer.zeros(3);
  writer.u16(10);
  writer.u16(static_cast<uint16_t>(made.size()));
  ASSERT_TRUE(writer.finish().has_value());
  const Buffer request = joined({payload, Buffer(10), made, as_bytes("message")});
  EXPECT_EQ(session_.call(Operation::kMlDsaVerify, request).status, Status::kInvalidPayload);
}

TEST_F(MlDsa, SignsAnEmptyMessage) {
  EXPECT_EQ(session_.verify(key_, "", signature(key_, "")).status, Status::kSuccess);
}

TEST_F(MlDsa, SignsHedgedUnlessAskedOtherwise) {
  EXPECT_NE(signature(key_, "m"), signature(key_, "m"));
  EXPECT_EQ(signature(key_, "m", "", kDeterministic), signature(key_, "m", "", kDeterministic));
}

TEST_F(MlDsa, RefusesAKeyOfAnotherType) {
  const uint32_t aes = session_.generate(Algorithm::kAes256Gcm);
  EXPECT_EQ(session_.sign(aes, "m").status, Status::kWrongKeyType);
  EXPECT_EQ(session_.verify(aes, "m", Buffer(3309)).status, Status::kWrongKeyType);
}

TEST_F(MlDsa, RefusesAKeyMadeForAnotherUse) {
  const uint32_t signs = session_.generate(Algorithm::kMlDsa44, static_cast<Usages>(Usage::kSign));
  const uint32_t verifies = session_.generate(Algorithm::kMlDsa44, static_cast<Usages>(Usage::kVerify));
  EXPECT_EQ(session_.verify(signs, "m", Buffer(2420)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(session_.sign(verifies, "m").status, Status::kWrongKeyUsage);
}

TEST_F(MlDsa, RefusesAnUnknownKey) {
  EXPECT_EQ(session_.sign(key_ + 1000, "m").status, Status::kKeyNotFound);
  EXPECT_EQ(session_.verify(key_ + 1000, "m", Buffer(3309)).status, Status::kKeyNotFound);
}

TEST_F(MlDsa, HidesAnotherClientsKey) {
  TestSession backend = harness_.open(kBackend);
  EXPECT_EQ(backend.sign(key_, "m").status, Status::kKeyNotFound);
}

TEST_F(MlDsa, SignsAMuOnlyWithAKeyMadeForIt) {
  const std::string mu(64, 'm');
  EXPECT_EQ(session_.sign(key_, mu, "", kMu).status, Status::kWrongKeyUsage);
  const uint32_t for_mu = session_.generate(Algorithm::kMlDsa65, Usage::kSignMu | Usage::kVerify);
  const Buffer made = signature(for_mu, mu, "", kMu);
  EXPECT_EQ(session_.verify(for_mu, mu, made, "", kMu).status, Status::kSuccess);
  EXPECT_EQ(session_.verify(for_mu, mu, made).status, Status::kSignatureInvalid) << "as a message it is another one";
  EXPECT_EQ(session_.sign(for_mu, "message").status, Status::kWrongKeyUsage) << "the key was made for mu only";
}

TEST_F(MlDsa, VerifiesAMuWithAnyKeyThatVerifies) {
  EXPECT_EQ(session_.verify(key_, std::string(64, 'm'), Buffer(3309), "", kMu).status, Status::kSignatureInvalid);
}

TEST_F(MlDsa, RefusesAMuOfAnotherSizeOrWithAContext) {
  const uint32_t for_mu = session_.generate(Algorithm::kMlDsa65, static_cast<Usages>(Usage::kSignMu));
  Buffer head(protocol::kMlDsaSignFixedSize + 1);
  Writer writer(head);
  writer.u32(for_mu);
  writer.u8(kMu);
  writer.u8(1);  // the context's length
  writer.u16(0);
  writer.u8('c');
  EXPECT_EQ(session_.call(Operation::kMlDsaSign, joined({head, Buffer(64)})).status, Status::kInvalidPayload);
  head.pop_back();
  head[5] = std::byte{0};
  EXPECT_EQ(session_.call(Operation::kMlDsaSign, joined({head, Buffer(63)})).status, Status::kInvalidPayload);
  EXPECT_EQ(session_.call(Operation::kMlDsaSign, joined({head, Buffer(65)})).status, Status::kInvalidPayload);
}

TEST_F(MlDsa, RefusesFlagsThatAreNone) {
  Buffer head(protocol::kMlDsaSignFixedSize);
  Writer writer(head);
  writer.u32(key_);
  writer.u8(0x80);
  EXPECT_EQ(session_.call(Operation::kMlDsaSign, head).status, Status::kInvalidPayload);
}

TEST_F(MlDsa, SignsForTlsAndCsrWithAnEmptyContextOnly) {
  const uint32_t identity = session_.generate(Algorithm::kMlDsa65, static_cast<Usages>(Usage::kTlsAndCsr));
  EXPECT_EQ(session_.sign(identity, "transcript").status, Status::kSuccess);
  EXPECT_EQ(session_.sign(identity, "transcript", "context").status, Status::kWrongKeyUsage);
  EXPECT_EQ(session_.sign(identity, std::string(64, 'm'), "", kMu).status, Status::kWrongKeyUsage);
}

TEST_F(MlDsa, VerifiesWhatAnOlderVersionSigned) {
  const Buffer old = signature(key_, "message");
  ASSERT_EQ(session_.key_request(Operation::kKeyRotate, key_).status, Status::kSuccess);
  EXPECT_EQ(session_.verify(key_, "message", old).status, Status::kSuccess);
  EXPECT_EQ(session_.verify(key_, "message", signature(key_, "message")).status, Status::kSuccess);
  EXPECT_EQ(session_.verify(key_, "other", old).status, Status::kSignatureInvalid);
}

class MlDsaGrant : public ::testing::Test {
 protected:
  // The backend is granted the gateway's first persistent key.
  void grant(config::KeyGrant grant) {
    config::ServiceConfig config = test_config();
    Harness probe(config);
    grant.id = probe.open(kGateway).generate(Algorithm::kMlDsa65, 0, Lifetime::kPersistent);
    config.clients[1].grants = {grant};
    harness_.emplace(config);
    TestSession gateway = harness_->open(kGateway);
    key_ = gateway.generate(Algorithm::kMlDsa65, Usage::kSign | Usage::kVerify | static_cast<Usages>(Usage::kSignMu),
                            Lifetime::kPersistent);
    ASSERT_EQ(key_, grant.id) << "a new store gives the same first id";
    backend_.emplace(harness_->open(kBackend));
  }

  std::optional<Harness> harness_;
  std::optional<TestSession> backend_;
  uint32_t key_ = 0;
};

TEST_F(MlDsaGrant, LetsAnotherClientDoWhatItNames) {
  grant({0, static_cast<Usages>(Usage::kSign), {}});
  EXPECT_EQ(backend_->sign(key_, "m", "any").status, Status::kSuccess);
  EXPECT_EQ(backend_->verify(key_, "m", Buffer(3309)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(backend_->key_request(Operation::kKeyRotate, key_).status, Status::kDenied);
  EXPECT_EQ(backend_->version_request(Operation::kKeyDelete, key_, 0).status, Status::kDenied);
}

TEST_F(MlDsaGrant, MayFixTheContext) {
  grant({0, Usage::kSign | Usage::kSignMu, "telemetry"});
  EXPECT_EQ(backend_->sign(key_, "m", "telemetry").status, Status::kSuccess);
  EXPECT_EQ(backend_->sign(key_, "m", "firmware").status, Status::kDenied);
  EXPECT_EQ(backend_->sign(key_, "m", "").status, Status::kDenied);
  EXPECT_EQ(backend_->sign(key_, std::string(64, 'm'), "", kMu).status, Status::kDenied) << "a mu would bypass it";
}

}  // namespace
}  // namespace wvds::service::testing
