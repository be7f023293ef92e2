#include "crypto/ecdsa.h"

#include <openssl/err.h>

#include "crypto/openssl_handles.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

constexpr Hash kHashes[] = {Hash::kSha256, Hash::kSha384, Hash::kSha512};

EcdsaOptions with(Hash hash) { return {.hash = hash}; }
EcdsaOptions by_digest(Hash hash) { return {.hash = hash, .is_digest = true}; }

// KnownKey: the key pairs of RFC 6979, appendices A.2.5 and A.2.6, and the orders of the curves (SP 800-186, 3.2.1).
struct KnownKey {
  Algorithm algorithm;
  const char* scalar;
  const char* point;
  const char* order;
};

constexpr KnownKey kKnownKeys[] = {
    {Algorithm::kEcdsaP256, "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
     "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
     "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
     "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"},
    {Algorithm::kEcdsaP384,
     "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
     "04ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"
     "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
     "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"}};

void PrintTo(const KnownKey& key, std::ostream* out) { *out << algorithm_info(key.algorithm)->name; }

class Ecdsa : public testing::TestWithParam<std::tuple<FipsMode, KnownKey>> {
 protected:
  const Library& library() const { return library_in(std::get<0>(GetParam())); }
  const KnownKey& known() const { return std::get<1>(GetParam()); }
  Algorithm algorithm() const { return known().algorithm; }
  const AlgorithmInfo& info() const { return *algorithm_info(algorithm()); }

  std::unique_ptr<EcdsaPrivateKey> key() const {
    auto made = EcdsaPrivateKey::from_scalar(library(), algorithm(), from_hex(known().scalar));
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  std::unique_ptr<EcdsaPrivateKey> another_key() const {
    LockedBytes scalar;
    auto made = EcdsaPrivateKey::generate(library(), algorithm(), scalar);
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  std::unique_ptr<EcdsaPublicKey> public_half(const EcdsaPrivateKey& key) const {
    auto made = EcdsaPublicKey::import(library(), algorithm(), key.public_key());
    EXPECT_TRUE(made) << why(made);
    return std::move(*made);
  }
  Octets sign(const EcdsaPrivateKey& key, const Octets& message, const EcdsaOptions& options) const {
    Octets signature(info().signature);
    const auto length = key.sign(options, untrusted(message), signature);
    EXPECT_TRUE(length) << why(length);
    signature.resize(length.value_or(0));
    return signature;
  }
  Octets digest_of(Hash hash, const Octets& message) const {
    const MdHandle md(EVP_MD_fetch(library().context(), hash_name(hash), nullptr));
    Octets digest(hash_size(hash));
    unsigned size = 0;
    EXPECT_EQ(EVP_Digest(message.data(), message.size(), data_of(MutableBytes(digest)), &size, md.get(), nullptr), 1);
    EXPECT_EQ(size, digest.size());
    return digest;
  }
};

INSTANTIATE_TEST_SUITE_P(, Ecdsa,
                         testing::Combine(testing::Values(FipsMode::kRequired, FipsMode::kOff),
                                          testing::ValuesIn(kKnownKeys)),
                         [](const auto& info) {
                           const bool fips = std::get<0>(info.param) == FipsMode::kRequired;
                           return (fips ? std::string("Fips") : std::string("Default")) +
                                  (algorithm_info(std::get<1>(info.param).algorithm)->name + 6);
                         });

TEST_P(Ecdsa, VerifiesWhatItSignedWithEachHash) {
  const auto signer = key();
  const auto verifier = public_half(*signer);
  for (const Hash hash : kHashes) {
    for (const size_t size : {0, 1, 63, 64, 65, 4096, 65536}) {
      const Octets message = pattern(size);
      const Octets signature = sign(*signer, message, with(hash));
      EXPECT_TRUE(verifier->verify(with(hash), untrusted(message), signature)) << hash_name(hash) << size;
      EXPECT_TRUE(signer->verify(with(hash), untrusted(message), signature)) << hash_name(hash) << size;
    }
  }
}

TEST_P(Ecdsa, SignsADigestAsItSignsTheMessage) {
  const auto signer = key();
  const Octets message = octets("message");
  for (const Hash hash : kHashes) {
    const Octets digest = digest_of(hash, message);
    const Octets of_digest = sign(*signer, digest, by_digest(hash));
    EXPECT_TRUE(signer->verify(with(hash), untrusted(message), of_digest)) << hash_name(hash);
    const Octets of_message = sign(*signer, message, with(hash));
    EXPECT_TRUE(signer->verify(by_digest(hash), untrusted(digest), of_message)) << hash_name(hash);
    EXPECT_EQ(status_of(signer->verify(with(hash), untrusted(digest), of_digest)), Status::kSignatureInvalid)
        << "a digest is no message";
  }
}

TEST_P(Ecdsa, SignsWithAFreshRandomNumberEachTime) {
  const auto signer = key();
  const Octets message = octets("message");
  EXPECT_NE(sign(*signer, message, with(Hash::kSha256)), sign(*signer, message, with(Hash::kSha256)));
  const Octets digest = digest_of(Hash::kSha256, message);
  EXPECT_NE(sign(*signer, digest, by_digest(Hash::kSha256)), sign(*signer, digest, by_digest(Hash::kSha256)));
}

TEST_P(Ecdsa, WritesADerSequenceAndWipesTheRestOfTheBuffer) {
  const auto signer = key();
  for (int i = 0; i < 32; ++i) {  // their lengths differ
    Octets signature = pattern(info().signature);
    const auto length = signer->sign(with(Hash::kSha256), untrusted(octets("message")), signature);
    ASSERT_TRUE(length) << why(length);
    ASSERT_LE(*length, signature.size());
    EXPECT_EQ(signature[0], std::byte{0x30});
    EXPECT_EQ(std::to_integer<size_t>(signature[1]) + 2, *length);
    EXPECT_TRUE(all_zero(Bytes(signature).subspan(*length)));
  }
}

TEST_P(Ecdsa, RefusesAnotherMessageHashKeyOrSignature) {
  const auto signer = key();
  const Octets message = octets("message");
  const EcdsaOptions options = with(Hash::kSha256);
  const Octets signature = sign(*signer, message, options);
  EXPECT_EQ(status_of(signer->verify(options, untrusted(octets("massage")), signature)), Status::kSignatureInvalid);
  EXPECT_EQ(status_of(signer->verify(with(Hash::kSha384), untrusted(message), signature)), Status::kSignatureInvalid);
  EXPECT_EQ(status_of(another_key()->verify(options, untrusted(message), signature)), Status::kSignatureInvalid);
  for (const size_t position : {size_t{0}, size_t{1}, size_t{3}, signature.size() / 2, signature.size() - 1}) {
    Octets bad = signature;
    bad[position] ^= std::byte{1};
    EXPECT_EQ(status_of(signer->verify(options, untrusted(message), bad)), Status::kSignatureInvalid) << position;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
  EXPECT_TRUE(signer->verify(options, untrusted(message), signature));
}

TEST_P(Ecdsa, RefusesWhatIsNoDerSignature) {
  const auto signer = key();
  const Octets message = octets("message");
  const EcdsaOptions options = with(Hash::kSha256);
  const Octets signature = sign(*signer, message, options);
  Octets longer = signature;
  longer.push_back(std::byte{0});
  const Octets raw_pair = pattern(2 * info().secret);
  const Octets too_long(info().signature + 1);
  const Bytes shorter = Bytes(signature).first(signature.size() - 1);
  for (const Bytes bad : {Bytes(longer), Bytes(raw_pair), Bytes(too_long), shorter, Bytes()}) {
    EXPECT_EQ(status_of(signer->verify(options, untrusted(message), bad)), Status::kSignatureInvalid) << bad.size();
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Ecdsa, RefusesADigestOfAnotherLengthAndWhatIsNoHash) {
  const auto signer = key();
  const Octets bytes = pattern(65);
  for (const size_t size : {size_t{0}, size_t{31}, size_t{33}, size_t{48}, size_t{65}}) {
    Octets out = pattern(info().signature);
    const UntrustedBytes digest(Bytes(bytes).first(size));
    EXPECT_EQ(status_of(signer->sign(by_digest(Hash::kSha256), digest, out)), Status::kInvalidPayload) << size;
    EXPECT_TRUE(all_zero(out));
    EXPECT_EQ(status_of(signer->verify(by_digest(Hash::kSha256), digest, pattern(70))), Status::kInvalidPayload);
  }
  for (const Hash none : {Hash::kNone, static_cast<Hash>(4), static_cast<Hash>(0xff)}) {
    Octets out = pattern(info().signature);
    EXPECT_EQ(status_of(signer->sign(with(none), untrusted(bytes), out)), Status::kInvalidPayload);
    EXPECT_TRUE(all_zero(out));
    EXPECT_EQ(status_of(signer->verify(with(none), untrusted(bytes), pattern(70))), Status::kInvalidPayload);
  }
}

TEST_P(Ecdsa, RefusesASignatureBufferOfAnotherSize) {
  const auto signer = key();
  for (const size_t size : {info().signature - 1, info().signature + 1}) {
    Octets out = pattern(size);
    EXPECT_EQ(status_of(signer->sign(with(Hash::kSha256), untrusted(octets("message")), out)), Status::kInternalError);
    EXPECT_TRUE(all_zero(out));
  }
}

TEST_P(Ecdsa, ComputesThePublicKeyOfAScalar) {
  const auto made = key();
  EXPECT_EQ(to_hex(made->public_key()), known().point);
}

TEST_P(Ecdsa, ComesBackFromTheScalarItHandsOut) {
  LockedBytes scalar;
  const auto generated = EcdsaPrivateKey::generate(library(), algorithm(), scalar);
  ASSERT_TRUE(generated) << why(generated);
  ASSERT_EQ(scalar.size(), info().secret);
  EXPECT_EQ((*generated)->public_key().size(), info().public_key);
  const auto again = EcdsaPrivateKey::from_scalar(library(), algorithm(), scalar.expose());
  ASSERT_TRUE(again) << why(again);
  EXPECT_TRUE(same((*generated)->public_key(), (*again)->public_key()));
  const Octets message = octets("message");
  const Octets signature = sign(**again, message, with(Hash::kSha384));
  EXPECT_TRUE((*generated)->verify(with(Hash::kSha384), untrusted(message), signature));
  LockedBytes other;
  ASSERT_TRUE(EcdsaPrivateKey::generate(library(), algorithm(), other));
  EXPECT_FALSE(same(scalar.expose(), other.expose()));
}

TEST_P(Ecdsa, TakesScalarsFromOneToTheOrderLessOneOnly) {
  const auto status = [&](Bytes scalar) {
    return status_of(EcdsaPrivateKey::from_scalar(library(), algorithm(), scalar));
  };
  const Octets order = from_hex(known().order);
  Octets largest = order;
  largest.back() ^= std::byte{1};  // both orders are odd
  EXPECT_EQ(status(largest), Status::kSuccess);
  Octets one(info().secret);
  one.back() = std::byte{1};
  EXPECT_EQ(status(one), Status::kSuccess);
  EXPECT_EQ(status(Octets(info().secret)), Status::kInvalidPayload) << "0";
  EXPECT_EQ(status(order), Status::kInvalidPayload);
  EXPECT_EQ(status(Octets(info().secret, std::byte{0xff})), Status::kInvalidPayload);
  for (const size_t size : {size_t{0}, info().secret - 1, info().secret + 1}) {
    EXPECT_EQ(status(pattern(size)), Status::kInvalidPayload) << size;
  }
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(Ecdsa, TakesUncompressedPointsOfTheCurveOnly) {
  const auto status = [&](const Octets& point) {
    return status_of(EcdsaPublicKey::import(library(), algorithm(), point));
  };
  const Octets point = from_hex(known().point);
  EXPECT_EQ(status(point), Status::kSuccess);
  for (const size_t size : {size_t{0}, size_t{1}, info().public_key - 1}) {
    EXPECT_EQ(status(Octets(point.begin(), point.begin() + static_cast<ptrdiff_t>(size))), Status::kInvalidPayload);
  }
  Octets longer = point;
  longer.push_back(std::byte{0});
  EXPECT_EQ(status(longer), Status::kInvalidPayload);
  const size_t last = point.size() - 1;
  const auto with_byte = [&](size_t position, std::byte value) {
    Octets changed = point;
    changed[position] = value;
    return status(changed);
  };
  EXPECT_EQ(with_byte(last, point[last] ^ std::byte{1}), Status::kInvalidPayload) << "beside the curve";
  for (const uint8_t form : {0x00, 0x02, 0x03, 0x05, 0x06, 0x07}) {  // also the hybrid forms of the same length
    EXPECT_EQ(with_byte(0, std::byte{form}), Status::kInvalidPayload) << int{form};
  }
  Octets zero(info().public_key);
  zero[0] = std::byte{0x04};
  EXPECT_EQ(status(zero), Status::kInvalidPayload);
  Octets too_large(info().public_key, std::byte{0xff});  // coordinates over the field's prime
  too_large[0] = std::byte{0x04};
  EXPECT_EQ(status(too_large), Status::kInvalidPayload);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

class EcdsaAlgorithms : public LibraryTest {};
WVDS_IN_BOTH_MODES(EcdsaAlgorithms);

TEST_P(EcdsaAlgorithms, OfOtherFamiliesAreRefused) {
  for (const Algorithm other : {Algorithm::kNone, Algorithm::kAes256Gcm, Algorithm::kMlDsa65, Algorithm::kMlKem768,
                                static_cast<Algorithm>(0x32)}) {
    LockedBytes scalar;
    EXPECT_EQ(status_of(EcdsaPrivateKey::generate(library(), other, scalar)), Status::kWrongKeyType);
    EXPECT_EQ(status_of(EcdsaPrivateKey::from_scalar(library(), other, pattern(32))), Status::kWrongKeyType);
    EXPECT_EQ(status_of(EcdsaPublicKey::import(library(), other, pattern(65))), Status::kWrongKeyType);
    EXPECT_EQ(status_of(scalar_from_pkcs8(library(), other, pattern(65))), Status::kWrongKeyType);
    EXPECT_EQ(scalar.size(), 0u);
  }
}

TEST_P(EcdsaAlgorithms, RefuseEachOthersKeys) {
  const Octets p256 = from_hex(kKnownKeys[0].point), p384 = from_hex(kKnownKeys[1].point);
  EXPECT_EQ(status_of(EcdsaPublicKey::import(library(), Algorithm::kEcdsaP384, p256)), Status::kInvalidPayload);
  EXPECT_EQ(status_of(EcdsaPublicKey::import(library(), Algorithm::kEcdsaP256, p384)), Status::kInvalidPayload);
}

TEST_P(EcdsaAlgorithms, AreServedByTheProviderOfTheMode) {
  const Library& used = library();
  for (const Algorithm algorithm : {Algorithm::kEcdsaP256, Algorithm::kEcdsaP384}) {
    EXPECT_TRUE(used.has(algorithm));
    EXPECT_EQ(used.serving(algorithm).provider, used.provider());
    EXPECT_EQ(used.serving(algorithm).inside_fips, GetParam() == FipsMode::kRequired);
  }
  EXPECT_FALSE(used.has(static_cast<Algorithm>(0x32)));
  EXPECT_EQ(used.provider_of("ECDSA"), GetParam() == FipsMode::kRequired ? "fips" : "default");
}

}  // namespace
}  // namespace wvds::crypto
