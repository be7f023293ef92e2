#include <gtest/gtest.h>

#include "keystore/testing/soft_token_keys.h"
#include "keystore/testing/store_bed.h"

// Keys inside the protector's token.
namespace wvds::keystore {
namespace {

using testing::library;
using testing::SoftTokenKeys;
using testing::SoftTokenProtector;
using testing::spec_of;
using testing::status_of;
using testing::StoreBed;

KeySpec inside(Algorithm algorithm) {
  KeySpec spec = spec_of(algorithm);
  spec.inside_token = true;
  return spec;
}

class KeyInsideToken : public ::testing::Test, public StoreBed {
 protected:
  KeyInsideToken() {
    auto with_token = std::make_unique<SoftTokenProtector>(token);
    token_protector = with_token.get();
    protector = std::move(with_token);
    open();
  }

  Result<> sign_and_verify(const VersionRef& version) {
    WVDS_ASSIGN(key, version->mldsa_private());
    const Bytes message = as_bytes("message");
    std::vector<std::byte> signature(algorithm_info(Algorithm::kMlDsa44)->signature);
    WVDS_TRY(key->sign({}, UntrustedBytes(message), signature));
    WVDS_ASSIGN(verifier, version->mldsa_public());
    return verifier->verify({}, UntrustedBytes(message), signature);
  }

  std::shared_ptr<SoftTokenKeys> token = std::make_shared<SoftTokenKeys>();
  SoftTokenProtector* token_protector = nullptr;
};

TEST_F(KeyInsideToken, SignsAlsoAfterARestart) {
  const uint32_t id = generate(inside(Algorithm::kMlDsa44));
  EXPECT_EQ(token->seeds.size(), 1u);
  EXPECT_EQ(find(id)->place(), Place::kHsmInside);
  EXPECT_TRUE(sign_and_verify(active(id)).has_value());
  open();
  EXPECT_EQ(find(id)->place(), Place::kHsmInside);
  EXPECT_TRUE(find(id)->spec().inside_token);
  EXPECT_TRUE(sign_and_verify(active(id)).has_value());
}

TEST_F(KeyInsideToken, Decapsulates) {
  const uint32_t id = generate(inside(Algorithm::kMlKem512));
  open();
  const VersionRef version = active(id);
  std::vector<std::byte> ciphertext(algorithm_info(Algorithm::kMlKem512)->kem_ciphertext);
  SharedSecret sent, received;
  ASSERT_TRUE(version->mlkem_public().value()->encapsulate(ciphertext, sent).has_value());
  ASSERT_TRUE(version->mlkem_private().value()->decapsulate(ciphertext, received).has_value());
  EXPECT_TRUE(std::ranges::equal(sent.expose(), received.expose()));
}

TEST_F(KeyInsideToken, StandsBesideKeysOfTheStore) {
  const uint32_t id = generate(spec_of(Algorithm::kMlDsa44));
  EXPECT_TRUE(token->seeds.empty());
  EXPECT_EQ(find(id)->place(), Place::kMemory) << "the protector's";
}

TEST_F(KeyInsideToken, CanBeRotatedAndItsVersionsDeleted) {
  const uint32_t id = generate(inside(Algorithm::kMlDsa44));
  ASSERT_TRUE(store->rotate("alice", 1, id).has_value());
  EXPECT_EQ(token->seeds.size(), 2u);
  EXPECT_TRUE(sign_and_verify(active(id)).has_value());
  ASSERT_TRUE(store->remove("alice", 1, id, 1).has_value());
  EXPECT_EQ(token->seeds.size(), 1u);
  open();
  EXPECT_TRUE(sign_and_verify(active(id)).has_value());
}

TEST_F(KeyInsideToken, IsGoneFromTheTokenWhenItIsDeleted) {
  const uint32_t id = generate(inside(Algorithm::kMlDsa44));
  open();  // not read yet
  ASSERT_TRUE(store->remove("alice", 1, id, 0).has_value());
  EXPECT_TRUE(token->seeds.empty());
  EXPECT_EQ(found(id), Status::kKeyNotFound);
}

TEST_F(KeyInsideToken, IsNotDeletedWhereTheTokenFails) {
  const uint32_t id = generate(inside(Algorithm::kMlDsa44));
  token->broken = true;
  EXPECT_EQ(status_of(store->remove("alice", 1, id, 0)), Status::kCryptoError);
  token->broken = false;
  EXPECT_TRUE(sign_and_verify(active(id)).has_value());
  EXPECT_TRUE(store->remove("alice", 1, id, 0).has_value());
}

TEST_F(KeyInsideToken, LeavesNothingInTheTokenThatCouldNotBeStored) {
  medium.failing = true;
  EXPECT_EQ(status_of(store->generate("alice", 1, inside(Algorithm::kMlDsa44))), Status::kStorageError);
  EXPECT_TRUE(token->seeds.empty());
  medium.failing = false;
  const uint32_t id = generate(inside(Algorithm::kMlDsa44));
  medium.failing = true;
  EXPECT_EQ(status_of(store->rotate("alice", 1, id)), Status::kStorageError);
  EXPECT_EQ(token->seeds.size(), 1u);
}

TEST_F(KeyInsideToken, IsUnsupportedWithoutATokenThatOffersIt) {
  token->offers_ml_kem = false;
  EXPECT_EQ(status_of(store->generate("alice", 1, inside(Algorithm::kMlKem512))), Status::kUnsupported);
  const uint32_t id = generate(inside(Algorithm::kMlDsa44));
  token_protector->has_token = false;
  open();
  EXPECT_EQ(status_of(store->generate("alice", 1, inside(Algorithm::kMlDsa44))), Status::kUnsupported);
  EXPECT_EQ(status_of(active(id)->mldsa_private()), Status::kUnsupported);
  EXPECT_TRUE(active(id)->mldsa_public().has_value()) << "the public key is in the record";
  EXPECT_EQ(status_of(store->remove("alice", 1, id, 0)), Status::kUnsupported) << "it could not be final";
}

TEST_F(KeyInsideToken, IsOfferedAsTheTokenSays) {
  token->offers_ml_kem = false;
  EXPECT_TRUE(store->offers_inside_token(Algorithm::kMlDsa65));
  EXPECT_FALSE(store->offers_inside_token(Algorithm::kMlKem768));
  token_protector->has_token = false;
  EXPECT_FALSE(open().offers_inside_token(Algorithm::kMlDsa65));
}

TEST_F(KeyInsideToken, IsOnlyWhatATokenCanDo) {
  EXPECT_EQ(status_of(store->generate("alice", 1, inside(Algorithm::kAes256Gcm))), Status::kUnsupported);
  EXPECT_EQ(status_of(store->generate("alice", 1, inside(Algorithm::kEcdsaP256))), Status::kUnsupported);
  EXPECT_FALSE(store->offers_inside_token(Algorithm::kEcdsaP256));
  KeySpec spec = inside(Algorithm::kMlDsa44);
  spec.lifetime = Lifetime::kVolatile;
  EXPECT_EQ(status_of(store->generate("alice", 1, spec)), Status::kInvalidPayload);
  spec = inside(Algorithm::kMlDsa44);
  spec.usages = Usage::kSign | Usage::kSignMu;
  EXPECT_EQ(status_of(store->generate("alice", 1, spec)), Status::kUnsupported);
  const std::vector<std::byte> seed(kMlDsaSeedSize);
  EXPECT_EQ(status_of(store->import_secret("alice", 1, inside(Algorithm::kMlDsa44), seed)), Status::kUnsupported);
  EXPECT_TRUE(token->seeds.empty());
}

TEST(RecordOfAKeyInsideAToken, HasAllVersionsThere) {
  RecordFields record{.id = 1, .generation = 1, .spec = inside(Algorithm::kMlDsa44), .owner = "alice"};
  record.versions = {{.number = 1, .form = SecretForm::kInToken, .public_key = std::vector<std::byte>(1312)}};
  EXPECT_EQ(record.secret_size(), kTokenKeyIdSize);
  const auto decoded = RecordFields::decode("name", record.encode());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(decoded->spec.inside_token);
  EXPECT_EQ(decoded->encode(), record.encode());
  record.spec.inside_token = false;
  EXPECT_FALSE(RecordFields::decode("name", record.encode()).has_value());
  record.spec.inside_token = true;
  record.versions[0].form = SecretForm::kSealed;
  EXPECT_FALSE(RecordFields::decode("name", record.encode()).has_value());
}

TEST(RecordOfAKeyInsideAToken, IsNoneOfEcdsa) {
  RecordFields record{.id = 1, .generation = 1, .spec = inside(Algorithm::kEcdsaP256), .owner = "alice"};
  record.versions = {{.number = 1, .form = SecretForm::kInToken, .public_key = std::vector<std::byte>(65)}};
  EXPECT_FALSE(RecordFields::decode("name", record.encode()).has_value());
  record.spec.inside_token = false;
  record.versions[0].form = SecretForm::kSealed;
  EXPECT_TRUE(RecordFields::decode("name", record.encode()).has_value());
}

}  // namespace
}  // namespace wvds::keystore
