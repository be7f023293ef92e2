#include "crypto/mlkem.h"

#include <openssl/err.h>

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr Algorithm kMlKemSets[] = {Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024};

class MlKem : public testing::TestWithParam<std::tuple<FipsMode, Algorithm>> {
 protected:
  const Library& library() const { return library_in(std::get<0>(GetParam())); }
  Algorithm algorithm() const { return std::get<1>(GetParam()); }
  const AlgorithmInfo& info() const { return *algorithm_info(algorithm()); }

  std::unique_ptr<MlKemPrivateKey> key(unsigned which = 1) const {
    auto made = MlKemPrivateKey::from_seed(library(), algorithm(), pattern(kMlKemSeedSize, which));
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
};

std::string mlkem_name(const testing::TestParamInfo<std::tuple<FipsMode, Algorithm>>& info) {
  return std::string(std::get<0>(info.param) == FipsMode::kRequired ? "Fips" : "Default") +
         (algorithm_info(std::get<1>(info.param))->name + 7);
}

INSTANTIATE_TEST_SUITE_P(, MlKem,
                         testing::Combine(testing::Values(FipsMode::kRequired, FipsMode::kOff),
                                          testing::ValuesIn(kMlKemSets)),
                         mlkem_name);

void fill(SharedSecret& secret) { std::ranges::fill(secret.expose_for_writing(), std::byte{0xa5}); }

TEST_P(MlKem, BothSidesGetTheSameSecret) {
  const auto decapsulator = key();
  const auto encapsulator = MlKemPublicKey::import(library(), algorithm(), decapsulator->encapsulation_key());
  ASSERT_TRUE(encapsulator) << why(encapsulator);
  EXPECT_TRUE(same((*encapsulator)->encapsulation_key(), decapsulator->encapsulation_key()));
  Octets last(info().kem_ciphertext);
  for (int i = 0; i < 10; ++i) {
    Octets ciphertext(info().kem_ciphertext);
    SharedSecret sent;
    SharedSecret received;
    const auto done = (*encapsulator)->encapsulate(ciphertext, sent);
    ASSERT_TRUE(done) << why(done);
    ASSERT_TRUE(decapsulator->decapsulate(ciphertext, received));
    EXPECT_TRUE(same(sent.expose(), received.expose()));
    EXPECT_NE(ciphertext, last) << "each encapsulation is fresh";
    last = ciphertext;
  }
}

TEST_P(MlKem, APrivateKeyEncapsulatesToItself) {
  const auto both = key();
  Octets ciphertext(info().kem_ciphertext);
  SharedSecret sent;
  SharedSecret received;
  ASSERT_TRUE(both->encapsulate(ciphertext, sent));
  ASSERT_TRUE(both->decapsulate(ciphertext, received));
  EXPECT_TRUE(same(sent.expose(), received.expose()));
}

TEST_P(MlKem, AChangedCiphertextGivesAnotherSecretAndNoError) {
  const auto decapsulator = key();
  Octets ciphertext(info().kem_ciphertext);
  SharedSecret sent;
  ASSERT_TRUE(decapsulator->encapsulate(ciphertext, sent));
  ciphertext[5] ^= std::byte{1};
  SharedSecret first;
  SharedSecret second;
  ASSERT_TRUE(decapsulator->decapsulate(ciphertext, first));
  ASSERT_TRUE(decapsulator->decapsulate(ciphertext, second));
  EXPECT_FALSE(same(first.expose(), sent.expose()));
  EXPECT_TRUE(same(first.expose(), second.expose())) << "implicit rejection is deterministic";
}

TEST_P(MlKem, RefusesCiphertextsOfAnotherLengthAndWipesTheSecret) {
  const auto decapsulator = key();
  for (const size_t size : {size_t{0}, info().kem_ciphertext - 1, info().kem_ciphertext + 1}) {
    SharedSecret secret;
    fill(secret);
    EXPECT_EQ(status_of(decapsulator->decapsulate(pattern(size), secret)), Status::kInvalidPayload) << size;
    EXPECT_TRUE(all_zero(secret.expose()));
  }
}

TEST_P(MlKem, RefusesACiphertextBufferOfAnotherSizeAndWipesBothOutputs) {
  const auto encapsulator = key();
  for (const size_t size : {size_t{0}, info().kem_ciphertext - 1, info().kem_ciphertext + 1}) {
    SharedSecret secret;
    fill(secret);
    Octets out = pattern(size);
    EXPECT_EQ(status_of(encapsulator->encapsulate(out, secret)), Status::kInternalError) << size;
    EXPECT_TRUE(all_zero(out) && all_zero(secret.expose()));
  }
}

TEST_P(MlKem, RefusesKeysOfAnotherLength) {
  for (const size_t size : {0, 32, 63, 65}) {
    EXPECT_EQ(status_of(MlKemPrivateKey::from_seed(library(), algorithm(), pattern(size))), Status::kInvalidPayload)
        << size;
  }
  for (const size_t size : {size_t{0}, info().public_key - 1, info().public_key + 1}) {
    EXPECT_EQ(status_of(MlKemPublicKey::import(library(), algorithm(), Octets(size))), Status::kInvalidPayload) << size;
  }
}

TEST_P(MlKem, RefusesAnEncapsulationKeyWithACoefficientOverTheModulus) {
  const auto good = key();
  Octets encapsulation_key(good->encapsulation_key().begin(), good->encapsulation_key().end());
  encapsulation_key[0] = encapsulation_key[1] = std::byte{0xff};  // 12 bits of ones: 4095, the modulus is 3329
  EXPECT_EQ(status_of(MlKemPublicKey::import(library(), algorithm(), encapsulation_key)), Status::kInvalidPayload);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(MlKem, ComesBackFromTheSeedItHandsOut) {
  LockedBytes seed;
  const auto generated = MlKemPrivateKey::generate(library(), algorithm(), seed);
  ASSERT_TRUE(generated) << why(generated);
  ASSERT_EQ(seed.size(), kMlKemSeedSize);
  const auto again = MlKemPrivateKey::from_seed(library(), algorithm(), seed.expose());
  ASSERT_TRUE(again) << why(again);
  EXPECT_TRUE(same((*generated)->encapsulation_key(), (*again)->encapsulation_key()));
  EXPECT_EQ((*again)->encapsulation_key().size(), info().public_key);
  Octets ciphertext(info().kem_ciphertext);
  SharedSecret sent;
  SharedSecret received;
  ASSERT_TRUE((*generated)->encapsulate(ciphertext, sent));
  ASSERT_TRUE((*again)->decapsulate(ciphertext, received));
  EXPECT_TRUE(same(sent.expose(), received.expose()));
}

TEST_P(MlKem, AnotherKeyGetsAnotherSecret) {
  Octets ciphertext(info().kem_ciphertext);
  SharedSecret sent;
  SharedSecret received;
  ASSERT_TRUE(key(1)->encapsulate(ciphertext, sent));
  ASSERT_TRUE(key(2)->decapsulate(ciphertext, received));
  EXPECT_FALSE(same(sent.expose(), received.expose()));
}

class MlKemAlgorithms : public LibraryTest {};
WVDS_IN_BOTH_MODES(MlKemAlgorithms);

TEST_P(MlKemAlgorithms, OfOtherFamiliesAreRefused) {
  for (const Algorithm other :
       {Algorithm::kNone, Algorithm::kAes256Gcm, Algorithm::kMlDsa65, static_cast<Algorithm>(0x23)}) {
    LockedBytes seed;
    EXPECT_EQ(status_of(MlKemPrivateKey::generate(library(), other, seed)), Status::kWrongKeyType);
    EXPECT_EQ(status_of(MlKemPrivateKey::from_seed(library(), other, pattern(64))), Status::kWrongKeyType);
    EXPECT_EQ(status_of(MlKemPublicKey::import(library(), other, pattern(1184))), Status::kWrongKeyType);
  }
}

}  // namespace
}  // namespace wvds::crypto
