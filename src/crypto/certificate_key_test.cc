#include "crypto/certificate_key.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

KeyHandle made(const Library& library, const char* type, const char* curve = nullptr) {
  return KeyHandle(EVP_PKEY_Q_keygen(library.context(), nullptr, type, curve));
}
KeyHandle rsa(const Library& library, size_t bits) {
  return KeyHandle(EVP_PKEY_Q_keygen(library.context(), nullptr, "RSA", bits));
}

class CertificateKeys : public LibraryTest {};
WVDS_IN_BOTH_MODES(CertificateKeys);

TEST_P(CertificateKeys, HaveTheNamesOfTheirStandards) {
  EXPECT_EQ(key_type_name(made(library(), "ML-DSA-65").get()), "ML-DSA-65");
  EXPECT_EQ(key_type_name(made(library(), "ML-KEM-768").get()), "ML-KEM-768");
  EXPECT_EQ(key_type_name(made(library(), "EC", "prime256v1").get()), "P-256");
  EXPECT_EQ(key_type_name(made(library(), "EC", "P-384").get()), "P-384");
  EXPECT_EQ(key_type_name(made(library(), "EC", "P-521").get()), "P-521");
  EXPECT_EQ(key_type_name(rsa(library(), 2048).get()), "RSA-2048");
  EXPECT_EQ(key_type_name(nullptr), "");
}

TEST_P(CertificateKeys, SignUnlessTheyEstablishSecrets) {
  EXPECT_TRUE(can_sign(made(library(), "ML-DSA-44").get()));
  EXPECT_TRUE(can_sign(made(library(), "EC", "P-256").get()));
  EXPECT_FALSE(can_sign(made(library(), "ML-KEM-512").get()));
  EXPECT_FALSE(can_sign(nullptr));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(CertificateKeys, HaveAStrength) {
  EXPECT_EQ(security_bits(rsa(library(), 2048).get()), 112);
  EXPECT_EQ(security_bits(made(library(), "EC", "P-256").get()), 128);
  EXPECT_GE(security_bits(made(library(), "ML-DSA-44").get()), 128);
  EXPECT_EQ(security_bits(nullptr), 0);
}

TEST_P(CertificateKeys, AreSignedWithTheHashOfTheirStrength) {
  const auto digest = [&](const KeyHandle& key) {
    const EVP_MD* md = signing_digest(library(), key.get());
    return std::string(md != nullptr ? OBJ_nid2sn(EVP_MD_get_type(md)) : "none");
  };
  EXPECT_EQ(digest(made(library(), "EC", "P-256")), "SHA256");
  EXPECT_EQ(digest(made(library(), "EC", "P-384")), "SHA384");
  EXPECT_EQ(digest(made(library(), "EC", "P-521")), "SHA512");
  EXPECT_EQ(digest(rsa(library(), 2048)), "SHA256");
  EXPECT_EQ(digest(made(library(), "ML-DSA-87")), "none");
  EXPECT_EQ(signing_digest(library(), nullptr), nullptr);
}

TEST_P(CertificateKeys, SurviveTheirPublicEncoding) {
  for (const char* type : {"ML-DSA-44", "ML-KEM-1024"}) {
    const KeyHandle key = made(library(), type);
    const auto spki = spki_of(key.get());
    ASSERT_TRUE(spki);
    const auto again = key_from_spki(library(), *spki);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_TRUE(same_public_key(again->get(), key.get()));
    EXPECT_FALSE(same_public_key(again->get(), made(library(), type).get()));
    Octets longer = *spki;
    longer.push_back(std::byte{0});
    EXPECT_EQ(key_from_spki(library(), longer).error().status, Status::kInvalidPayload);
    EXPECT_EQ(key_from_pkcs8(library(), *spki).error().status, Status::kInvalidPayload);
  }
  EXPECT_FALSE(key_from_spki(library(), {}));
  EXPECT_FALSE(same_public_key(nullptr, nullptr));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(CertificateKeys, AreTheSameInAnotherLibrary) {
  const Library& other = library_in(GetParam() == FipsMode::kRequired ? FipsMode::kOff : FipsMode::kRequired);
  const KeyHandle key = made(library(), "EC", "P-256");
  const auto copy = key_from_spki(other, *spki_of(key.get()));
  ASSERT_TRUE(copy);
  EXPECT_TRUE(same_public_key(key.get(), copy->get()));
  EXPECT_FALSE(same_public_key(made(library(), "ML-DSA-44").get(), copy->get()));
  EXPECT_EQ(ERR_peek_error(), 0u);
}

TEST_P(CertificateKeys, ComeFromRawPublicKeys) {
  for (const Algorithm algorithm :
       {Algorithm::kMlDsa65, Algorithm::kMlKem768, Algorithm::kEcdsaP256, Algorithm::kEcdsaP384}) {
    const char* curve = algorithm == Algorithm::kEcdsaP256   ? "P-256"
                        : algorithm == Algorithm::kEcdsaP384 ? "P-384"
                                                             : nullptr;
    const KeyHandle key = made(library(), curve != nullptr ? "EC" : algorithm_info(algorithm)->name, curve);
    Octets raw(algorithm_info(algorithm)->public_key);
    size_t length = 0;
    ASSERT_EQ(EVP_PKEY_get_octet_string_param(key.get(), "pub", reinterpret_cast<unsigned char*>(raw.data()),
                                              raw.size(), &length),
              1);
    const auto again = key_from_raw(library(), algorithm, raw);
    ASSERT_TRUE(again) << again.error().detail;
    EXPECT_TRUE(same_public_key(again->get(), key.get()));
    EXPECT_FALSE(key_from_raw(library(), algorithm, Bytes(raw).first(raw.size() - 1)));
  }
  EXPECT_EQ(key_from_raw(library(), Algorithm::kAes256Gcm, {}).error().status, Status::kWrongKeyType);
}

}  // namespace
}  // namespace wvds::crypto
