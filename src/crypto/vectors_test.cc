// NIST ACVP and Wycheproof vectors through this module. Each test says how many cases ran and which were left out.

#include <openssl/core_names.h>
#include <support/vectors.h>

#include "crypto/aead.h"
#include "crypto/ecdsa.h"
#include "crypto/mldsa.h"
#include "crypto/mlkem.h"
#include "crypto/openssl_handles.h"
#include "crypto/testing/library_fixture.h"

namespace wvds::crypto {
namespace {

class VectorsOf : public LibraryTest {};
WVDS_IN_BOTH_MODES(VectorsOf);

TEST_P(VectorsOf, Aes256GcmOpenOrAreRefused) {
  const auto vectors = test::aes_256_gcm_vectors();
  size_t ran = 0;
  for (const test::AeadCase& test : vectors.cases) {
    ASSERT_TRUE(test.nonce.size() == kNonceSize && test.tag.size() == kTagSize) << test.id;
    Nonce nonce{};
    Tag tag{};
    std::ranges::copy(test.nonce, nonce.begin());
    std::ranges::copy(test.tag, tag.begin());
    const auto opener = AeadOpener::create(library(), test.key);
    ASSERT_TRUE(opener) << test.id << ": " << why(opener);
    Octets opened(test.ciphertext.size());
    const auto done = (*opener)->open(nonce, test.aad, test.ciphertext, tag, opened);
    EXPECT_EQ(status_of(done), test.valid ? Status::kSuccess : Status::kDecryptionFailed) << test.id;
    EXPECT_TRUE(test.valid ? opened == test.plaintext : all_zero(opened)) << test.id;
    ++ran;
  }
  test::report("AES-256-GCM, decryption", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kAes256GcmCases);
}

TEST_P(VectorsOf, MlDsaSeedsGiveTheirPublicKeys) {
  const auto vectors = test::mldsa_keygen_vectors();
  size_t ran = 0;
  for (const test::KeygenCase& test : vectors.cases) {
    const auto key = MlDsaPrivateKey::from_seed(library(), test.algorithm, test.seed);
    ASSERT_TRUE(key) << test.id << ": " << why(key);
    EXPECT_TRUE(same((*key)->public_key(), test.public_key)) << test.id;
    ++ran;
  }
  test::report("ML-DSA, key generation", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlDsaKeygenCases);
}

TEST_P(VectorsOf, MlDsaSignDeterministically) {
  const auto vectors = test::mldsa_sign_vectors();
  size_t ran = 0;
  Octets last_seed;
  std::unique_ptr<MlDsaPrivateKey> key;  // many cases in a row use one
  for (const test::MlDsaSignCase& test : vectors.cases) {
    ++ran;
    if (test.seed != last_seed || !key) {
      auto made = MlDsaPrivateKey::from_seed(library(), test.algorithm, test.seed);
      if (!made) {
        EXPECT_TRUE(!test.valid && made.error().status == Status::kInvalidPayload) << test.id << ": " << why(made);
        continue;
      }
      key = std::move(*made);
      last_seed = test.seed;
    }
    Octets signature(algorithm_info(test.algorithm)->signature);
    const MlDsaOptions options{.context = test.context, .deterministic = true, .external_mu = test.external_mu};
    const auto done = key->sign(options, untrusted(test.message), signature);
    EXPECT_EQ(status_of(done), test.valid ? Status::kSuccess : Status::kInvalidPayload) << test.id;
    EXPECT_TRUE(test.valid ? signature == test.signature : all_zero(signature)) << test.id;
    EXPECT_EQ(test.valid, key->verify(options, untrusted(test.message), test.signature).has_value()) << test.id;
  }
  test::report("ML-DSA, deterministic signatures", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlDsaSignCases);
}

bool verifies(const Library& library, const test::MlDsaVerifyCase& test) {
  const auto key = MlDsaPublicKey::import(library, test.algorithm, test.public_key);
  if (!key) return false;
  const MlDsaOptions options{.context = test.context, .deterministic = false, .external_mu = test.external_mu};
  return (*key)->verify(options, untrusted(test.message), test.signature).has_value();
}

TEST_P(VectorsOf, MlDsaVerifyOrAreRefused) {
  const auto vectors = test::mldsa_verify_vectors();
  size_t ran = 0;
  for (const test::MlDsaVerifyCase& test : vectors.cases) {
    EXPECT_EQ(verifies(library(), test), test.valid) << test.id;
    ++ran;
  }
  test::report("ML-DSA, verification", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlDsaVerifyCases);
}

TEST_P(VectorsOf, MlDsaPkcs8KeysHoldTheirSeeds) {
  const auto vectors = test::mldsa_pkcs8_vectors();
  size_t ran = 0;
  for (const test::Pkcs8Case& test : vectors.cases) {
    const auto seed = seed_from_pkcs8(library(), test.algorithm, test.der);
    ASSERT_TRUE(seed) << test.id << ": " << why(seed);
    EXPECT_TRUE(same(seed->expose(), test.seed)) << test.id;
    ++ran;
  }
  test::report("ML-DSA, PKCS#8", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlDsaPkcs8Cases);
}

TEST_P(VectorsOf, EcdsaVerifyOrAreRefused) {
  const auto vectors = test::ecdsa_verify_vectors();
  size_t ran = 0;
  for (const test::EcdsaVerifyCase& test : vectors.cases) {
    const auto key = EcdsaPublicKey::import(library(), test.algorithm, test.public_key);
    ASSERT_TRUE(key) << test.id << ": " << why(key);
    const auto verified = (*key)->verify({.hash = test.hash}, untrusted(test.message), test.signature);
    EXPECT_EQ(status_of(verified), test.valid ? Status::kSuccess : Status::kSignatureInvalid) << test.id;
    ++ran;
  }
  test::report("ECDSA, verification", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kEcdsaVerifyCases);
}

TEST_P(VectorsOf, MlKemSeedsGiveTheirEncapsulationKeys) {
  const auto vectors = test::mlkem_keygen_vectors();
  size_t ran = 0;
  for (const test::KeygenCase& test : vectors.cases) {
    const auto key = MlKemPrivateKey::from_seed(library(), test.algorithm, test.seed);
    ASSERT_TRUE(key) << test.id << ": " << why(key);
    EXPECT_TRUE(same((*key)->encapsulation_key(), test.public_key)) << test.id;
    ++ran;
  }
  test::report("ML-KEM, key generation", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlKemKeygenCases);
}

TEST_P(VectorsOf, MlKemDecapsulateOrAreRefused) {
  const auto vectors = test::mlkem_decaps_vectors();
  size_t ran = 0;
  for (const test::MlKemDecapsCase& test : vectors.cases) {
    ++ran;
    const auto key = MlKemPrivateKey::from_seed(library(), test.algorithm, test.seed);
    SharedSecret secret;
    const Status status = key ? status_of((*key)->decapsulate(test.ciphertext, secret)) : status_of(key);
    EXPECT_EQ(status, test.valid ? Status::kSuccess : Status::kInvalidPayload) << test.id;
    EXPECT_TRUE(test.valid ? same(secret.expose(), test.shared_secret) : all_zero(secret.expose())) << test.id;
  }
  test::report("ML-KEM, decapsulation", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlKemDecapsCases);
}

TEST_P(VectorsOf, MlKemEncapsulationKeysAreAcceptedOrRefused) {
  const auto vectors = test::mlkem_key_vectors();
  size_t ran = 0;
  for (const test::MlKemKeyCase& test : vectors.cases) {
    const auto key = MlKemPublicKey::import(library(), test.algorithm, test.encapsulation_key);
    EXPECT_EQ(status_of(key), test.valid ? Status::kSuccess : Status::kInvalidPayload) << test.id;
    ++ran;
  }
  test::report("ML-KEM, encapsulation keys", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlKemKeyCases);
}

// encapsulate_with gives OpenSSL the randomness `m`. The product has no such function: it stands in this test only.
bool encapsulate_with(const Library& library, const test::MlKemEncapsCase& test, Octets& ciphertext, Octets& secret) {
  const PkeyCtxHandle import(
      EVP_PKEY_CTX_new_from_name(library.context(), algorithm_info(test.algorithm)->name, nullptr));
  OSSL_PARAM key_parameters[] = {octet_param(OSSL_PKEY_PARAM_PUB_KEY, test.encapsulation_key),
                                 OSSL_PARAM_construct_end()};
  const OSSL_PARAM parameters[] = {octet_param(OSSL_KEM_PARAM_IKME, test.m), OSSL_PARAM_construct_end()};
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata_init(import.get()) != 1 ||
      EVP_PKEY_fromdata(import.get(), &key, EVP_PKEY_PUBLIC_KEY, key_parameters) != 1) {
    return false;
  }
  const PkeyHandle owned(key);
  const PkeyCtxHandle context(EVP_PKEY_CTX_new_from_pkey(library.context(), key, nullptr));
  size_t ciphertext_size = ciphertext.size();
  size_t secret_size = secret.size();
  return EVP_PKEY_encapsulate_init(context.get(), parameters) == 1 &&
         EVP_PKEY_encapsulate(context.get(), data_of(MutableBytes(ciphertext)), &ciphertext_size,
                              data_of(MutableBytes(secret)), &secret_size) == 1;
}

TEST_P(VectorsOf, MlKemEncapsulateTheProvidersOwnWay) {
  const auto vectors = test::mlkem_encaps_vectors();
  size_t ran = 0;
  for (const test::MlKemEncapsCase& test : vectors.cases) {
    Octets ciphertext(algorithm_info(test.algorithm)->kem_ciphertext);
    Octets secret(kSharedSecretSize);
    ASSERT_TRUE(encapsulate_with(library(), test, ciphertext, secret)) << test.id;
    EXPECT_EQ(ciphertext, test.ciphertext) << test.id;
    EXPECT_EQ(secret, test.shared_secret) << test.id;
    ++ran;
  }
  test::report("ML-KEM, encapsulation with a given m", ran, vectors.left_out);
  EXPECT_EQ(ran, test::kMlKemEncapsCases);
}

}  // namespace
}  // namespace wvds::crypto
