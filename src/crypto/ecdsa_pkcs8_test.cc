#include <openssl/encoder.h>
#include <openssl/err.h>

#include "crypto/ecdsa.h"
#include "crypto/openssl_handles.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

// tlv encodes one DER value of up to 65,535 bytes.
Octets tlv(uint8_t tag, const Octets& content) {
  const size_t size = content.size();
  Octets out{std::byte{tag}};
  if (size >= 0x80) out.push_back(std::byte{0x82});
  if (size >= 0x80) out.push_back(static_cast<std::byte>(size >> 8));
  out.push_back(static_cast<std::byte>(size & 0xff));
  out.insert(out.end(), content.begin(), content.end());
  return out;
}

Octets operator+(Octets a, const Octets& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// Of RFC 5480: id-ecPublicKey, secp256r1 and secp384r1, with their tags
const Octets kEcPublicKey = from_hex("06072a8648ce3d0201");
const Octets kP256 = from_hex("06082a8648ce3d030107");
const Octets kP384 = from_hex("06052b81040022");
const Octets kVersion0 = from_hex("020100"), kVersion1 = from_hex("020101");

class ScalarFromPkcs8 : public testing::TestWithParam<std::tuple<FipsMode, Algorithm>> {
 protected:
  const Library& library() const { return library_in(std::get<0>(GetParam())); }
  Algorithm algorithm() const { return std::get<1>(GetParam()); }
  const AlgorithmInfo& info() const { return *algorithm_info(algorithm()); }
  Octets curve() const { return algorithm() == Algorithm::kEcdsaP256 ? kP256 : kP384; }

  void SetUp() override {
    auto made = EcdsaPrivateKey::generate(library(), algorithm(), scalar_);
    ASSERT_TRUE(made) << why(made);
    key_ = std::move(*made);
  }

  Octets scalar() const { return {scalar_.expose().begin(), scalar_.expose().end()}; }
  Octets point() const { return {key_->public_key().begin(), key_->public_key().end()}; }
  Octets bit_string(const Octets& bytes) const { return tlv(0xa1, tlv(0x03, Octets(1) + bytes)); }

  // ec_private_key is RFC 5915's ECPrivateKey, private_key_info RFC 5958's OneAsymmetricKey, version 0.
  Octets ec_private_key(const Octets& secret, const Octets& rest) const {
    return tlv(0x30, kVersion1 + tlv(0x04, secret) + rest);
  }
  Octets private_key_info(const Octets& parameters, const Octets& ec_key) const {
    return tlv(0x30, kVersion0 + tlv(0x30, kEcPublicKey + parameters) + tlv(0x04, ec_key));
  }
  Octets usual() const { return private_key_info(curve(), ec_private_key(scalar(), bit_string(point()))); }

  Status status(const Octets& der) const {
    const Status found = status_of(scalar_from_pkcs8(library(), algorithm(), der));
    EXPECT_EQ(ERR_peek_error(), 0u);
    return found;
  }

  LockedBytes scalar_;
  std::unique_ptr<EcdsaPrivateKey> key_;
};

INSTANTIATE_TEST_SUITE_P(, ScalarFromPkcs8,
                         testing::Combine(testing::Values(FipsMode::kRequired, FipsMode::kOff),
                                          testing::Values(Algorithm::kEcdsaP256, Algorithm::kEcdsaP384)),
                         [](const auto& info) {
                           const bool fips = std::get<0>(info.param) == FipsMode::kRequired;
                           return (fips ? std::string("Fips") : std::string("Default")) +
                                  (algorithm_info(std::get<1>(info.param))->name + 6);
                         });

TEST_P(ScalarFromPkcs8, TakesTheScalarWithAndWithoutAPublicKey) {
  const Octets without = private_key_info(curve(), ec_private_key(scalar(), {}));
  const Octets with_curve_twice =
      private_key_info(curve(), ec_private_key(scalar(), tlv(0xa0, curve()) + bit_string(point())));
  const Octets alone = ec_private_key(scalar(), tlv(0xa0, curve()) + bit_string(point()));  // "EC PRIVATE KEY" in PEM
  for (const Octets& der : {usual(), without, with_curve_twice, alone}) {
    const auto found = scalar_from_pkcs8(library(), algorithm(), der);
    ASSERT_TRUE(found) << why(found);
    EXPECT_TRUE(same(found->expose(), scalar()));
  }
}

TEST_P(ScalarFromPkcs8, RefusesAKeyThatDoesNotSayItsCurve) {
  EXPECT_EQ(status(ec_private_key(scalar(), bit_string(point()))), Status::kInvalidPayload);
  EXPECT_EQ(status(private_key_info({}, ec_private_key(scalar(), {}))), Status::kInvalidPayload);
}

// Some programs leave leading zero bytes out.
TEST_P(ScalarFromPkcs8, FillsAShortScalarUp) {
  const auto found =
      scalar_from_pkcs8(library(), algorithm(), private_key_info(curve(), ec_private_key(from_hex("0107"), {})));
  ASSERT_TRUE(found) << why(found);
  Octets expected(info().secret);
  expected[expected.size() - 2] = std::byte{1};
  expected.back() = std::byte{7};
  EXPECT_TRUE(same(found->expose(), expected));
}

TEST_P(ScalarFromPkcs8, RefusesTheOtherCurve) {
  const Algorithm other = algorithm() == Algorithm::kEcdsaP256 ? Algorithm::kEcdsaP384 : Algorithm::kEcdsaP256;
  EXPECT_EQ(status_of(scalar_from_pkcs8(library(), other, usual())), Status::kInvalidPayload);
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(ScalarFromPkcs8, RefusesAPublicKeyOfAnotherScalar) {
  LockedBytes other_scalar;
  const auto other = EcdsaPrivateKey::generate(library(), algorithm(), other_scalar);
  ASSERT_TRUE(other) << why(other);
  const Octets foreign((*other)->public_key().begin(), (*other)->public_key().end());
  EXPECT_EQ(status(private_key_info(curve(), ec_private_key(scalar(), bit_string(foreign)))), Status::kInvalidPayload);
}

TEST_P(ScalarFromPkcs8, RefusesScalarsOutOfRange) {
  EXPECT_EQ(status(private_key_info(curve(), ec_private_key(Octets(info().secret), {}))), Status::kInvalidPayload);
  const Octets largest(info().secret, std::byte{0xff});
  EXPECT_EQ(status(private_key_info(curve(), ec_private_key(largest, {}))), Status::kInvalidPayload);
}

// A description of a curve can be one that looks like P-256 with another base point (CVE-2020-0601).
TEST_P(ScalarFromPkcs8, RefusesACurveThatIsDescribedInsteadOfNamed) {
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_name(library().context(), "EC", nullptr));
  const char* name = algorithm() == Algorithm::kEcdsaP256 ? "P-256" : "P-384";
  char encoding[] = "explicit";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string("group", const_cast<char*>(name), 0),
                                   OSSL_PARAM_construct_utf8_string("encoding", encoding, 0),
                                   OSSL_PARAM_construct_end()};
  EVP_PKEY* made = nullptr;
  ASSERT_EQ(EVP_PKEY_keygen_init(context.get()), 1);
  ASSERT_EQ(EVP_PKEY_CTX_set_params(context.get(), parameters), 1);
  ASSERT_EQ(EVP_PKEY_generate(context.get(), &made), 1);
  const PkeyHandle key(made);
  unsigned char* der = nullptr;
  size_t size = 0;
  const Handle<OSSL_ENCODER_CTX, OSSL_ENCODER_CTX_free> encoder(
      OSSL_ENCODER_CTX_new_for_pkey(key.get(), EVP_PKEY_KEYPAIR, "DER", "PrivateKeyInfo", nullptr));
  ASSERT_EQ(OSSL_ENCODER_to_data(encoder.get(), &der, &size), 1);
  const Octets described(reinterpret_cast<std::byte*>(der), reinterpret_cast<std::byte*>(der) + size);
  OPENSSL_free(der);
  ASSERT_GT(described.size(), 200u) << "it does describe the curve";
  EXPECT_EQ(status(described), Status::kInvalidPayload);
}

TEST_P(ScalarFromPkcs8, RefusesWhatIsNoPrivateKeyInfo) {
  const Octets whole = usual();
  EXPECT_EQ(status({}), Status::kInvalidPayload);
  EXPECT_EQ(status(pattern(200)), Status::kInvalidPayload);
  EXPECT_EQ(status(whole + Octets(1)), Status::kInvalidPayload) << "something behind it";
  for (size_t length = 1; length < whole.size(); length += 7) {
    EXPECT_EQ(status(Octets(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length))), Status::kInvalidPayload)
        << length;
  }
}

}  // namespace
}  // namespace wvds::crypto
