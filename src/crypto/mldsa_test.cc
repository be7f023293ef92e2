#include "crypto/mldsa.h"

#include <openssl/err.h>

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr Algorithm kMlDsaSets[] = {Algorithm::kMlDsa44, Algorithm::kMlDsa65, Algorithm::kMlDsa87};

const MlDsaOptions kDeterministic{.context = {}, .deterministic = true, .external_mu = false};
const MlDsaOptions kMu{.context = {}, .deterministic = false, .external_mu = true};

class MlDsa : public testing::TestWithParam<std::tuple<FipsMode, Algorithm>> {
 protected:
  const Library& library() const { return library_in(std::get<0>(GetParam())); }
  Algorithm algorithm() const { return std::get<1>(GetParam()); }
  const AlgorithmInfo& info() const { return *algorithm_info(algorithm()); }

  std::unique_ptr<MlDsaPrivateKey> key(unsigned which = 1) const {
    auto made = MlDsaPrivateKey::from_seed(library(), algorithm(), pattern(kMlDsaSeedSize, which));
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  std::unique_ptr<MlDsaPublicKey> public_half(const MlDsaPrivateKey& key) const {
    auto made = MlDsaPublicKey::import(library(), algorithm(), key.public_key());
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  Octets sign(const MlDsaPrivateKey& key, const Octets& message, const MlDsaOptions& options = {}) const {
    Octets signature(info().signature);
    const auto done = key.sign(options, untrusted(message), signature);
    EXPECT_TRUE(done) << why(done);
    return signature;
  }
};

std::string mldsa_name(const testing::TestParamInfo<std::tuple<FipsMode, Algorithm>>& info) {
  return std::string(std::get<0>(info.param) == FipsMode::kRequired ? "Fips" : "Default") +
         (algorithm_info(std::get<1>(info.param))->name + 7);
}

INSTANTIATE_TEST_SUITE_P(, MlDsa,
                         testing::Combine(testing::Values(FipsMode::kRequired, FipsMode::kOff),
                                          testing::ValuesIn(kMlDsaSets)),
                         mldsa_name);

TEST_P(MlDsa, VerifiesWhatItSigned) {
  const auto signer = key();
  const auto verifier = public_half(*signer);
  for (const size_t size : {0, 1, 63, 64, 65, 4096, 65536}) {
    const Octets message = pattern(size);
    const Octets signature = sign(*signer, message);
    EXPECT_TRUE(verifier->verify({}, untrusted(message), signature)) << size;
    EXPECT_TRUE(signer->verify({}, untrusted(message), signature)) << size;
  }
}

TEST_P(MlDsa, HedgesUnlessAskedToBeDeterministic) {
  const auto signer = key();
  const Octets message = octets("message");
  EXPECT_NE(sign(*signer, message), sign(*signer, message));
  EXPECT_EQ(sign(*signer, message, kDeterministic), sign(*signer, message, kDeterministic));
}

TEST_P(MlDsa, RefusesAnotherMessageKeyOrSignature) {
  const auto signer = key();
  const Octets message = octets("message");
  Octets signature = sign(*signer, message);
  EXPECT_EQ(status_of(signer->verify({}, untrusted(octets("massage")), signature)), Status::kSignatureInvalid);
  EXPECT_EQ(status_of(key(2)->verify({}, untrusted(message), signature)), Status::kSignatureInvalid);
  for (const size_t position : {size_t{0}, signature.size() / 2, signature.size() - 1}) {
    Octets bad = signature;
    bad[position] ^= std::byte{1};
    EXPECT_EQ(status_of(signer->verify({}, untrusted(message), bad)), Status::kSignatureInvalid) << position;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_TRUE(signer->verify({}, untrusted(message), signature));
}

TEST_P(MlDsa, RefusesSignaturesOfAnotherLength) {
  const auto signer = key();
  const Octets message = octets("message");
  const Octets signature = sign(*signer, message);
  Octets longer(signature.size() + 1);
  std::ranges::copy(signature, longer.begin());
  const Bytes shorter = Bytes(signature).first(signature.size() - 1);
  EXPECT_EQ(status_of(signer->verify({}, untrusted(message), longer)), Status::kSignatureInvalid);
  EXPECT_EQ(status_of(signer->verify({}, untrusted(message), shorter)), Status::kSignatureInvalid);
  EXPECT_EQ(status_of(signer->verify({}, untrusted(message), {})), Status::kSignatureInvalid);
}

TEST_P(MlDsa, BindsTheContext) {
  const auto signer = key();
  const Octets message = octets("message");
  const Octets context = octets("context");
  const MlDsaOptions with_context{.context = context};
  const Octets bound = sign(*signer, message, with_context);
  const Octets unbound = sign(*signer, message);
  EXPECT_TRUE(signer->verify(with_context, untrusted(message), bound));
  EXPECT_EQ(status_of(signer->verify({}, untrusted(message), bound)), Status::kSignatureInvalid);
  EXPECT_EQ(status_of(signer->verify(with_context, untrusted(message), unbound)), Status::kSignatureInvalid);
  EXPECT_TRUE(signer->verify({}, untrusted(message), unbound)) << "no context is left over from the call before";
}

TEST_P(MlDsa, TakesAContextOf255BytesAndNo256) {
  const auto signer = key();
  const Octets message = octets("message");
  const Octets context = pattern(256);
  const MlDsaOptions longest{.context = Bytes(context).first(255)};
  const MlDsaOptions too_long{.context = context};
  const Octets signature = sign(*signer, message, longest);
  EXPECT_TRUE(signer->verify(longest, untrusted(message), signature));
  EXPECT_EQ(status_of(signer->verify(too_long, untrusted(message), signature)), Status::kInvalidPayload);
  Octets out = pattern(info().signature);
  EXPECT_EQ(status_of(signer->sign(too_long, untrusted(message), out)), Status::kInvalidPayload);
  EXPECT_TRUE(all_zero(out));
}

TEST_P(MlDsa, SignsAnExternalMu) {
  const auto signer = key();
  const Octets mu = pattern(kMuSize);
  const Octets signature = sign(*signer, mu, kMu);
  EXPECT_TRUE(signer->verify(kMu, untrusted(mu), signature));
  EXPECT_EQ(status_of(signer->verify({}, untrusted(mu), signature)), Status::kSignatureInvalid) << "mu is no message";
}

TEST_P(MlDsa, RefusesAMuOfAnotherLengthOrWithAContext) {
  const auto signer = key();
  const Octets long_mu = pattern(kMuSize + 1);
  const Octets context = octets("context");
  for (const size_t size : {size_t{0}, kMuSize - 1, kMuSize + 1}) {
    Octets out = pattern(info().signature);
    const UntrustedBytes mu(Bytes(long_mu).first(size));
    EXPECT_EQ(status_of(signer->sign(kMu, mu, out)), Status::kInvalidPayload) << size;
    EXPECT_TRUE(all_zero(out));
    EXPECT_EQ(status_of(signer->verify(kMu, mu, pattern(info().signature))), Status::kInvalidPayload) << size;
  }
  Octets out = pattern(info().signature);
  const MlDsaOptions both{.context = context, .external_mu = true};
  EXPECT_EQ(status_of(signer->sign(both, UntrustedBytes(Bytes(long_mu).first(kMuSize)), out)), Status::kInvalidPayload);
  EXPECT_TRUE(all_zero(out));
}

TEST_P(MlDsa, RefusesASignatureBufferOfAnotherSize) {
  const auto signer = key();
  for (const size_t size : {info().signature - 1, info().signature + 1}) {
    Octets out = pattern(size);
    EXPECT_EQ(status_of(signer->sign({}, untrusted(octets("message")), out)), Status::kInternalError);
    EXPECT_TRUE(all_zero(out));
  }
}

TEST_P(MlDsa, ComesBackFromTheSeedItHandsOut) {
  LockedBytes seed;
  const auto generated = MlDsaPrivateKey::generate(library(), algorithm(), seed);
  ASSERT_TRUE(generated) << why(generated);
  ASSERT_EQ(seed.size(), kMlDsaSeedSize);
  const auto again = MlDsaPrivateKey::from_seed(library(), algorithm(), seed.expose());
  ASSERT_TRUE(again) << why(again);
  EXPECT_TRUE(same((*generated)->public_key(), (*again)->public_key()));
  EXPECT_EQ((*generated)->public_key().size(), info().public_key);
  LockedBytes other_seed;
  const auto other = MlDsaPrivateKey::generate(library(), algorithm(), other_seed);
  ASSERT_TRUE(other) << why(other);
  EXPECT_FALSE(same(seed.expose(), other_seed.expose()));
}

TEST_P(MlDsa, RefusesSeedsAndPublicKeysOfAnotherLength) {
  for (const size_t size : {0, 31, 33, 64}) {
    EXPECT_EQ(status_of(MlDsaPrivateKey::from_seed(library(), algorithm(), pattern(size))), Status::kInvalidPayload)
        << size;
  }
  for (const size_t size : {size_t{0}, info().public_key - 1, info().public_key + 1}) {
    EXPECT_EQ(status_of(MlDsaPublicKey::import(library(), algorithm(), pattern(size))), Status::kInvalidPayload)
        << size;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

class MlDsaAlgorithms : public LibraryTest {};
WVDS_IN_BOTH_MODES(MlDsaAlgorithms);

TEST_P(MlDsaAlgorithms, OfOtherFamiliesAreRefused) {
  for (const Algorithm other :
       {Algorithm::kNone, Algorithm::kAes256Gcm, Algorithm::kMlKem768, static_cast<Algorithm>(0x13)}) {
    LockedBytes seed;
    EXPECT_EQ(status_of(MlDsaPrivateKey::generate(library(), other, seed)), Status::kWrongKeyType);
    EXPECT_EQ(status_of(MlDsaPrivateKey::from_seed(library(), other, pattern(32))), Status::kWrongKeyType);
    EXPECT_EQ(status_of(MlDsaPublicKey::import(library(), other, pattern(1312))), Status::kWrongKeyType);
  }
}

}  // namespace
}  // namespace wvds::crypto
