#include "vectors_e2e/vector_session.h"

namespace wvds::test {
namespace {

using MlDsaVectors = VectorTest;

constexpr size_t kMaxSignPayload = WVDS_MAX_REQUEST_PAYLOAD - 8;     // fixed fields of MLDSA_SIGN
constexpr size_t kMaxVerifyPayload = WVDS_MAX_REQUEST_PAYLOAD - 12;  // fixed fields of MLDSA_VERIFY

const AlgorithmInfo& info_of(Algorithm algorithm) { return *algorithm_info(algorithm); }

TEST_F(MlDsaVectors, KeysFromSeedsHaveTheirPublicKeys) {
  const Vectors<KeygenCase> vectors = mldsa_keygen_vectors();
  Tally tally;
  for (const KeygenCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    Octets public_key;
    ASSERT_NE(import_key({test.algorithm}, test.seed, &public_key), nullptr);
    EXPECT_EQ(public_key, test.public_key);
    tally.ran();
  }
  tally.finish("ML-DSA key generation from seeds through the service", vectors.left_out, kMlDsaKeygenCases);
}

TEST_F(MlDsaVectors, KeysFromPkcs8AreThoseOfTheirSeeds) {
  const Vectors<Pkcs8Case> vectors = mldsa_pkcs8_vectors();
  Tally tally;
  for (const Pkcs8Case& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    Octets from_pkcs8, from_seed;
    ASSERT_NE(import_key({test.algorithm, 0, 0, WVDS_KEY_FORMAT_PKCS8}, test.der, &from_pkcs8), nullptr);
    ASSERT_NE(import_key({test.algorithm}, test.seed, &from_seed), nullptr);
    EXPECT_EQ(from_pkcs8, from_seed);
    tally.ran();
  }
  tally.finish("ML-DSA keys from PKCS#8 through the service", vectors.left_out, kMlDsaPkcs8Cases);
}

// sign_with signs as the vector says and compares.
void sign_with(wvds_session* session, uint32_t key_id, const MlDsaSignCase& test) {
  Octets signature(WVDS_MLDSA_MAX_SIGNATURE_SIZE);
  size_t length = 0;
  const uint32_t flags = WVDS_MLDSA_DETERMINISTIC | (test.external_mu ? WVDS_MLDSA_EXTERNAL_MU : 0);
  const wvds_status status =
      wvds_mldsa_sign(session, octets_of(signature), &length, signature.size(), key_id, octets_of(test.message),
                      test.message.size(), octets_of(test.context), test.context.size(), flags);
  if (!test.valid) {
    EXPECT_EQ(status, WVDS_INVALID_ARGUMENT) << wvds_status_name(status);
    EXPECT_EQ(length, 0u);
    return;
  }
  EXPECT_EQ(status, WVDS_SUCCESS) << wvds_status_name(status);
  signature.resize(length);
  EXPECT_EQ(signature, test.signature);
}

TEST_F(MlDsaVectors, SignDeterministicallyThroughTheService) {
  const Vectors<MlDsaSignCase> vectors = mldsa_sign_vectors();
  Tally tally;
  for (const MlDsaSignCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    const KeyWish wish{test.algorithm, WVDS_USAGE_SIGN | WVDS_USAGE_SIGN_MU};
    if (test.seed.size() != kMlDsaSeedSize) {
      EXPECT_FALSE(test.valid);
      EXPECT_EQ(status_of_import(wish, test.seed), WVDS_INVALID_PAYLOAD);
    } else {
      ASSERT_LE(test.message.size() + test.context.size(), kMaxSignPayload);
      const auto key = import_key(wish, test.seed);
      ASSERT_NE(key, nullptr);
      sign_with(session(), key->id(), test);
    }
    tally.ran();
  }
  tally.finish("ML-DSA deterministic signatures through the service", vectors.left_out, kMlDsaSignCases);
}

// expected_verdict: a wrong length is told apart from a wrong signature; the library itself refuses what no request can
// carry.
wvds_status expected_verdict(const MlDsaVerifyCase& test) {
  if (test.valid) return WVDS_SUCCESS;
  if (test.public_key.size() != info_of(test.algorithm).public_key) return WVDS_INVALID_ARGUMENT;
  if (test.context.size() > WVDS_MLDSA_MAX_CONTEXT_SIZE) return WVDS_INVALID_ARGUMENT;
  return test.signature.size() == info_of(test.algorithm).signature ? WVDS_SIGNATURE_INVALID : WVDS_INVALID_PAYLOAD;
}

TEST_F(MlDsaVectors, VerifyWithRawPublicKeysThroughTheService) {
  const Vectors<MlDsaVerifyCase> vectors = mldsa_verify_vectors();
  Tally tally;
  for (const MlDsaVerifyCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    const size_t size = test.public_key.size() + test.signature.size() + test.context.size() + test.message.size();
    ASSERT_LE(size, kMaxVerifyPayload);
    const wvds_public_key key = wvds_public_key_raw(static_cast<wvds_algorithm>(test.algorithm),
                                                    octets_of(test.public_key), test.public_key.size());
    const wvds_status status = wvds_mldsa_verify(session(), &key, octets_of(test.signature), test.signature.size(),
                                                 octets_of(test.message), test.message.size(), octets_of(test.context),
                                                 test.context.size(), test.external_mu ? WVDS_MLDSA_EXTERNAL_MU : 0);
    EXPECT_STREQ(wvds_status_name(status), wvds_status_name(expected_verdict(test)));
    tally.ran();
  }
  tally.finish("ML-DSA verification through the service", vectors.left_out, kMlDsaVerifyCases);
}

}  // namespace
}  // namespace wvds::test
