#include "service/ecdsa_handlers.h"

#include <gtest/gtest.h>

#include "protocol/ecdsa_messages.h"
#include "service/testing/service_harness.h"

namespace wvds::service::testing {
namespace {

constexpr Algorithm kCurves[] = {Algorithm::kEcdsaP256, Algorithm::kEcdsaP384};
constexpr uint8_t kDigest = protocol::kEcdsaDigest;

class Ecdsa : public ::testing::Test {
 protected:
  Buffer signature(uint32_t key, std::string_view message, Hash hash = Hash::kSha256, uint8_t flags = 0) {
    const Answer answer = session_.ecdsa_sign(key, message, hash, flags);
    EXPECT_EQ(answer.status, Status::kSuccess);
    return answer.payload;
  }

  Answer verify_raw(Algorithm algorithm, Bytes public_key, std::string_view message, Bytes signature) {
    return session_.ecdsa_verify(
        {.algorithm = algorithm, .hash = Hash::kSha256, .public_key = public_key, .signature = signature}, message);
  }

  Harness harness_;
  TestSession session_ = harness_.open();
  uint32_t key_ = session_.generate(Algorithm::kEcdsaP256);
};

TEST_F(Ecdsa, VerifiesWhatItSigned) {
  for (const Algorithm algorithm : kCurves) {
    const uint32_t key = session_.generate(algorithm);
    for (const Hash hash : {Hash::kSha256, Hash::kSha384, Hash::kSha512}) {
      const Buffer made = signature(key, "message", hash);
      EXPECT_LE(made.size(), algorithm_info(algorithm)->signature);
      const Answer verified = session_.ecdsa_verify(key, "message", made, hash);
      EXPECT_EQ(verified.status, Status::kSuccess);
      EXPECT_TRUE(verified.payload.empty());
    }
  }
}

TEST_F(Ecdsa, VerifiesByAPublicKeyInTheRequest) {
  for (const Algorithm algorithm : kCurves) {
    const uint32_t key = session_.generate(algorithm);
    const Buffer made = signature(key, "message");
    const Buffer public_key = session_.public_key(key);
    EXPECT_EQ(public_key.size(), algorithm_info(algorithm)->public_key);
    EXPECT_EQ(verify_raw(algorithm, public_key, "message", made).status, Status::kSuccess);
    EXPECT_EQ(verify_raw(algorithm, public_key, "massage", made).status, Status::kSignatureInvalid);
  }
}

TEST_F(Ecdsa, RefusesAPublicKeyThatIsNoPointOfTheCurve) {
  const Buffer made = signature(key_, "message");
  Buffer public_key = session_.public_key(key_);
  public_key.back() ^= std::byte{1};
  EXPECT_EQ(verify_raw(Algorithm::kEcdsaP256, public_key, "message", made).status, Status::kInvalidPayload);
  public_key.back() ^= std::byte{1};
  public_key.front() = std::byte{0x06};
  EXPECT_EQ(verify_raw(Algorithm::kEcdsaP256, public_key, "message", made).status, Status::kInvalidPayload);
  public_key.pop_back();
  EXPECT_EQ(verify_raw(Algorithm::kEcdsaP256, public_key, "message", made).status, Status::kInvalidPayload);
}

TEST_F(Ecdsa, RefusesAnotherMessageHashOrSignature) {
  Buffer made = signature(key_, "message");
  EXPECT_EQ(session_.ecdsa_verify(key_, "messagE", made).status, Status::kSignatureInvalid);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", made, Hash::kSha384).status, Status::kSignatureInvalid);
  made[20] ^= std::byte{1};
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", made).status, Status::kSignatureInvalid);
}

TEST_F(Ecdsa, RefusesAnotherKey) {
  const Buffer made = signature(key_, "message");
  EXPECT_EQ(session_.ecdsa_verify(session_.generate(Algorithm::kEcdsaP256), "message", made).status,
            Status::kSignatureInvalid);
}

TEST_F(Ecdsa, RefusesASignatureOfImpossibleSize) {
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", {}).status, Status::kInvalidPayload);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", Buffer(73)).status, Status::kInvalidPayload);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", Buffer(72)).status, Status::kSignatureInvalid)
      << "possible, but none";
  EXPECT_EQ(verify_raw(Algorithm::kEcdsaP384, session_.public_key(session_.generate(Algorithm::kEcdsaP384)), "message",
                       Buffer(105))
                .status,
            Status::kInvalidPayload);
}

TEST_F(Ecdsa, SignsAnEmptyMessageAndTheLongest) {
  EXPECT_EQ(session_.ecdsa_verify(key_, "", signature(key_, "")).status, Status::kSuccess);
  const std::string longest(protocol::kMaxRequestPayload - protocol::kEcdsaSignFixedSize, 'm');
  EXPECT_EQ(session_.ecdsa_sign(key_, longest).status, Status::kSuccess);
}

TEST_F(Ecdsa, SignsAnewEachTime) { EXPECT_NE(signature(key_, "m"), signature(key_, "m")); }

TEST_F(Ecdsa, SignsADigestOfTheHashsLengthOnly) {
  const std::string digest(48, 'd');
  const Buffer made = signature(key_, digest, Hash::kSha384, kDigest);
  EXPECT_EQ(session_.ecdsa_verify(key_, digest, made, Hash::kSha384, kDigest).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_verify(key_, digest, made, Hash::kSha384).status, Status::kSignatureInvalid)
      << "as a message it is another one";
  for (const size_t length : {0, 32, 47, 49, 64}) {
    EXPECT_EQ(session_.ecdsa_sign(key_, std::string(length, 'd'), Hash::kSha384, kDigest).status,
              Status::kInvalidPayload);
    EXPECT_EQ(session_.ecdsa_verify(key_, std::string(length, 'd'), made, Hash::kSha384, kDigest).status,
              Status::kInvalidPayload);
  }
}

TEST_F(Ecdsa, RefusesHashesAndFlagsThatAreNone) {
  for (const uint8_t hash : {0, 4, 0xff}) {
    EXPECT_EQ(session_.ecdsa_sign(key_, "m", static_cast<Hash>(hash)).status, Status::kInvalidPayload);
    EXPECT_EQ(session_.ecdsa_verify(key_, "m", Buffer(70), static_cast<Hash>(hash)).status, Status::kInvalidPayload);
  }
  EXPECT_EQ(session_.ecdsa_sign(key_, "m", Hash::kSha256, 0x02).status, Status::kInvalidPayload);
  EXPECT_EQ(session_.ecdsa_verify(key_, "m", Buffer(70), Hash::kSha256, 0x80).status, Status::kInvalidPayload);
}

TEST_F(Ecdsa, RefusesAKeyOfAnotherType) {
  const uint32_t mldsa = session_.generate(Algorithm::kMlDsa44);
  EXPECT_EQ(session_.ecdsa_sign(mldsa, "m").status, Status::kWrongKeyType);
  EXPECT_EQ(session_.ecdsa_verify(mldsa, "m", Buffer(70)).status, Status::kWrongKeyType);
  EXPECT_EQ(session_.sign(key_, "m").status, Status::kWrongKeyType) << "ML-DSA with this key";
  EXPECT_EQ(session_.verify(key_, "m", Buffer(3309)).status, Status::kWrongKeyType);
  EXPECT_EQ(session_.encrypt(key_, "m").status, Status::kWrongKeyType);
}

TEST_F(Ecdsa, RefusesAKeyMadeForAnotherUse) {
  const uint32_t signs = session_.generate(Algorithm::kEcdsaP256, static_cast<Usages>(Usage::kSign));
  const uint32_t verifies = session_.generate(Algorithm::kEcdsaP256, static_cast<Usages>(Usage::kVerify));
  EXPECT_EQ(session_.ecdsa_verify(signs, "m", Buffer(70)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(session_.ecdsa_sign(verifies, "m").status, Status::kWrongKeyUsage);
}

TEST_F(Ecdsa, RefusesAnUnknownKeyAndHidesAnotherClients) {
  EXPECT_EQ(session_.ecdsa_sign(key_ + 1000, "m").status, Status::kKeyNotFound);
  EXPECT_EQ(session_.ecdsa_verify(key_ + 1000, "m", Buffer(70)).status, Status::kKeyNotFound);
  TestSession backend = harness_.open(kBackend);
  EXPECT_EQ(backend.ecdsa_sign(key_, "m").status, Status::kKeyNotFound);
}

TEST_F(Ecdsa, SignsForTlsAndCsr) {
  const uint32_t identity = session_.generate(Algorithm::kEcdsaP384, static_cast<Usages>(Usage::kTlsAndCsr));
  EXPECT_EQ(session_.ecdsa_sign(identity, "transcript", Hash::kSha384).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_sign(identity, std::string(48, 'd'), Hash::kSha384, kDigest).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_verify(identity, "m", Buffer(70)).status, Status::kWrongKeyUsage);
}

TEST_F(Ecdsa, VerifiesWhatAnOlderVersionSigned) {
  const Buffer old = signature(key_, "message"), old_key = session_.public_key(key_);
  ASSERT_EQ(session_.key_request(Operation::kKeyRotate, key_).status, Status::kSuccess);
  EXPECT_NE(session_.public_key(key_), old_key);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", old).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", signature(key_, "message")).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_verify(key_, "other", old).status, Status::kSignatureInvalid);
}

TEST_F(Ecdsa, RetiredVerifiesAndSignsNoMore) {
  const Buffer made = signature(key_, "message");
  ASSERT_EQ(session_.key_request(Operation::kKeyRetire, key_).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_sign(key_, "message").status, Status::kWrongKeyUsage);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", made).status, Status::kSuccess);
  ASSERT_EQ(session_.version_request(Operation::kKeyDelete, key_, 0).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_verify(key_, "message", made).status, Status::kKeyNotFound);
}

TEST_F(Ecdsa, LivesOnInTheStore) {
  Harness harness;
  TestSession first = harness.open();
  const uint32_t key = first.generate(Algorithm::kEcdsaP384, 0, Lifetime::kPersistent);
  const Answer before = first.ecdsa_sign(key, "message");
  {
    const TestSession ended = std::move(first);
  }
  harness.restart();
  TestSession second = harness.open();
  EXPECT_EQ(second.ecdsa_verify(key, "message", before.payload).status, Status::kSuccess);
  EXPECT_EQ(second.ecdsa_verify(key, "message", second.ecdsa_sign(key, "message").payload).status, Status::kSuccess);
}

TEST_F(Ecdsa, SignsNoMoreThanItsMostUses) {
  const protocol::KeyGenerateRequest request{
      {Algorithm::kEcdsaP256, Lifetime::kVolatile, 0, 0, "three", {.max_uses = 3}}};
  Buffer payload(256);
  payload.resize(request.encode(payload).value());
  const Answer made = session_.call(Operation::kKeyGenerate, payload);
  ASSERT_EQ(made.status, Status::kSuccess);
  const uint32_t key = Reader(Bytes(made.payload)).u32();
  Buffer last;
  for (int i = 0; i < 3; ++i) last = signature(key, "m");
  EXPECT_EQ(session_.ecdsa_sign(key, "m").status, Status::kKeyUsedUp);
  EXPECT_EQ(session_.ecdsa_verify(key, "m", last).status, Status::kSuccess) << "to verify takes nothing";
}

TEST_F(Ecdsa, IsNotMadeInsideAToken) {
  const protocol::KeyGenerateRequest request{
      {Algorithm::kEcdsaP256, Lifetime::kPersistent, 0, protocol::kKeyFlagInsideToken, "", {}}};
  Buffer payload(256);
  payload.resize(request.encode(payload).value());
  EXPECT_EQ(session_.call(Operation::kKeyGenerate, payload).status, Status::kUnsupported);
}

class EcdsaImport : public Ecdsa {
 protected:
  Answer import(Algorithm algorithm, protocol::KeyFormat format, const Buffer& material, Usages usages = 0) {
    const protocol::KeyTemplate key{algorithm, Lifetime::kVolatile, usages, 0, "imported", {}};
    Buffer payload(protocol::kKeyTemplateFixedSize + key.label.size() + material.size());
    EXPECT_TRUE(protocol::encode_key_import_request(key, format, material, payload).has_value());
    return session_.call(Operation::kKeyImport, payload);
  }

  static uint32_t id_of(const Answer& answer) { return Reader(Bytes(answer.payload)).u32(); }
};

TEST_F(EcdsaImport, TakesAScalar) {
  for (const Algorithm algorithm : kCurves) {
    Buffer scalar(algorithm_info(algorithm)->secret);
    scalar.back() = std::byte{7};
    const Answer made = import(algorithm, protocol::KeyFormat::kRaw, scalar);
    ASSERT_EQ(made.status, Status::kSuccess);
    EXPECT_EQ(made.payload.size(), 4 + algorithm_info(algorithm)->public_key);
    EXPECT_EQ(session_.ecdsa_verify(id_of(made), "m", signature(id_of(made), "m")).status, Status::kSuccess);
  }
}

TEST_F(EcdsaImport, RefusesScalarsOutOfRangeAndOfOtherLengths) {
  EXPECT_EQ(import(Algorithm::kEcdsaP256, protocol::KeyFormat::kRaw, Buffer(32)).status, Status::kInvalidPayload);
  EXPECT_EQ(import(Algorithm::kEcdsaP256, protocol::KeyFormat::kRaw, Buffer(32, std::byte{0xff})).status,
            Status::kInvalidPayload);
  EXPECT_EQ(import(Algorithm::kEcdsaP256, protocol::KeyFormat::kRaw, Buffer(48, std::byte{1})).status,
            Status::kInvalidPayload);
  EXPECT_EQ(import(Algorithm::kEcdsaP256, protocol::KeyFormat::kSeed, Buffer(32, std::byte{1})).status,
            Status::kInvalidPayload)
      << "it has no seed";
  EXPECT_EQ(import(Algorithm::kMlDsa65, protocol::KeyFormat::kRaw, Buffer(32, std::byte{1})).status,
            Status::kInvalidPayload)
      << "a seed is not raw";
}

// RFC 5958, with P-256 named and the scalar 7
TEST_F(EcdsaImport, TakesPkcs8) {
  Buffer der =
      bytes_of(std::string_view("\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a"
                                "\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20",
                                35));
  der.resize(der.size() + 32);
  der.back() = std::byte{7};
  const Answer made = import(Algorithm::kEcdsaP256, protocol::KeyFormat::kPkcs8, der);
  ASSERT_EQ(made.status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_verify(id_of(made), "m", signature(id_of(made), "m")).status, Status::kSuccess);
  EXPECT_EQ(import(Algorithm::kEcdsaP384, protocol::KeyFormat::kPkcs8, der).status, Status::kInvalidPayload);
  EXPECT_EQ(import(Algorithm::kMlDsa65, protocol::KeyFormat::kPkcs8, der).status, Status::kInvalidPayload);
}

TEST_F(EcdsaImport, TakesAPublicKeyThatOnlyVerifies) {
  const Buffer public_key = session_.public_key(key_), made = signature(key_, "message");
  const Answer imported = import(Algorithm::kEcdsaP256, protocol::KeyFormat::kPublic, public_key);
  ASSERT_EQ(imported.status, Status::kSuccess);
  EXPECT_EQ(session_.public_key(id_of(imported)), public_key);
  EXPECT_EQ(session_.ecdsa_verify(id_of(imported), "message", made).status, Status::kSuccess);
  EXPECT_EQ(session_.ecdsa_sign(id_of(imported), "message").status, Status::kWrongKeyUsage);
  EXPECT_EQ(session_.key_request(Operation::kKeyRotate, id_of(imported)).status, Status::kWrongKeyType);
  EXPECT_EQ(
      import(Algorithm::kEcdsaP256, protocol::KeyFormat::kPublic, public_key, static_cast<Usages>(Usage::kSign)).status,
      Status::kInvalidPayload);
  Buffer beside = public_key;
  beside.back() ^= std::byte{1};
  EXPECT_EQ(import(Algorithm::kEcdsaP256, protocol::KeyFormat::kPublic, beside).status, Status::kInvalidPayload);
}

TEST_F(EcdsaImport, GivesNoUsageThatEcdsaDoesNotHave) {
  Buffer scalar(32, std::byte{1});
  for (const Usage usage : {Usage::kSignMu, Usage::kEncrypt, Usage::kEncapsulate}) {
    EXPECT_EQ(import(Algorithm::kEcdsaP256, protocol::KeyFormat::kRaw, scalar, static_cast<Usages>(usage)).status,
              Status::kInvalidPayload);
  }
}

class EcdsaGrant : public ::testing::Test {
 protected:
  // The backend is granted the gateway's first persistent key.
  void grant(config::KeyGrant grant) {
    config::ServiceConfig config = test_config();
    Harness probe(config);
    grant.id = probe.open(kGateway).generate(Algorithm::kEcdsaP256, 0, Lifetime::kPersistent);
    config.clients[1].grants = {grant};
    harness_.emplace(config);
    TestSession gateway = harness_->open(kGateway);
    key_ = gateway.generate(Algorithm::kEcdsaP256, 0, Lifetime::kPersistent);
    ASSERT_EQ(key_, grant.id) << "a new store gives the same first id";
    gateway_signs_ = gateway.ecdsa_sign(key_, "m").status;
    backend_.emplace(harness_->open(kBackend));
  }

  std::optional<Harness> harness_;
  std::optional<TestSession> backend_;
  Status gateway_signs_ = Status::kInternalError;
  uint32_t key_ = 0;
};

TEST_F(EcdsaGrant, LetsAnotherClientDoWhatItNames) {
  grant({0, static_cast<Usages>(Usage::kSign), {}});
  EXPECT_EQ(backend_->ecdsa_sign(key_, "m").status, Status::kSuccess);
  EXPECT_EQ(backend_->ecdsa_verify(key_, "m", Buffer(70)).status, Status::kWrongKeyUsage);
  EXPECT_EQ(backend_->key_request(Operation::kKeyRotate, key_).status, Status::kDenied);
}

TEST_F(EcdsaGrant, ThatFixesAContextLetsNobodySign) {
  grant({0, Usage::kSign | Usage::kVerify, "telemetry"});
  EXPECT_EQ(backend_->ecdsa_sign(key_, "m").status, Status::kDenied);
  EXPECT_EQ(backend_->ecdsa_verify(key_, "m", Buffer(70)).status, Status::kSignatureInvalid);
  EXPECT_EQ(gateway_signs_, Status::kSuccess) << "the owner is not bound by it";
}

}  // namespace
}  // namespace wvds::service::testing
