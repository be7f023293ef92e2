#include "vectors_e2e/vector_session.h"

namespace wvds::test {
namespace {

using MlKemVectors = VectorTest;

constexpr uint32_t kRawUsages = WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW;

TEST_F(MlKemVectors, KeysFromSeedsHaveTheirPublicKeys) {
  const Vectors<KeygenCase> vectors = mlkem_keygen_vectors();
  Tally tally;
  for (const KeygenCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    Octets public_key;
    ASSERT_NE(import_key({test.algorithm, kRawUsages}, test.seed, &public_key), nullptr);
    EXPECT_EQ(public_key, test.public_key);
    tally.ran();
  }
  tally.finish("ML-KEM key generation from seeds through the service", vectors.left_out, kMlKemKeygenCases);
}

void decapsulate_with(wvds_session* session, uint32_t key_id, const MlKemDecapsCase& test) {
  Octets secret(WVDS_MLKEM_SHARED_SECRET_SIZE, std::byte{0xee});
  const wvds_status status =
      wvds_mlkem_decaps(session, octets_of(secret), key_id, octets_of(test.ciphertext), test.ciphertext.size());
  EXPECT_STREQ(wvds_status_name(status), test.valid ? "SUCCESS" : "INVALID_PAYLOAD");
  EXPECT_EQ(secret, test.valid ? test.shared_secret : Octets(WVDS_MLKEM_SHARED_SECRET_SIZE));
}

TEST_F(MlKemVectors, DecapsulateThroughTheService) {
  const Vectors<MlKemDecapsCase> vectors = mlkem_decaps_vectors();
  Tally tally;
  for (const MlKemDecapsCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    const KeyWish wish{test.algorithm, kRawUsages};
    if (test.seed.size() != kMlKemSeedSize) {
      EXPECT_FALSE(test.valid);
      EXPECT_EQ(status_of_import(wish, test.seed), WVDS_INVALID_PAYLOAD);
    } else {
      const auto key = import_key(wish, test.seed);
      ASSERT_NE(key, nullptr);
      decapsulate_with(session(), key->id(), test);
    }
    tally.ran();
  }
  tally.finish("ML-KEM decapsulation through the service", vectors.left_out, kMlKemDecapsCases);
}

// encapsulate_to returns the status of an encapsulation to a raw key.
wvds_status encapsulate_to(wvds_session* session, const MlKemKeyCase& test) {
  Octets secret(WVDS_MLKEM_SHARED_SECRET_SIZE), ciphertext(WVDS_MLKEM_MAX_CIPHERTEXT_SIZE);
  size_t length = 0;
  const wvds_public_key key = wvds_public_key_raw(static_cast<wvds_algorithm>(test.algorithm),
                                                  octets_of(test.encapsulation_key), test.encapsulation_key.size());
  return wvds_mlkem_encaps(session, octets_of(secret), octets_of(ciphertext), &length, ciphertext.size(), &key);
}

TEST_F(MlKemVectors, ChecksRawEncapsulationKeys) {
  const Vectors<MlKemKeyCase> vectors = mlkem_key_vectors();
  Tally tally;
  for (const MlKemKeyCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    const bool right_length = test.encapsulation_key.size() == algorithm_info(test.algorithm)->public_key;
    const char* refusal =
        right_length ? "INVALID_PAYLOAD" : "INVALID_ARGUMENT";  // a wrong length is the library's to refuse
    EXPECT_STREQ(wvds_status_name(encapsulate_to(session(), test)), test.valid ? "SUCCESS" : refusal);
    tally.ran();
  }
  const size_t given_m = mlkem_encaps_vectors().cases.size();
  for (size_t i = 0; i < given_m; ++i) {
    tally.skip("the service takes m from its own generator only; src/crypto runs the cases that give it");
  }
  tally.finish("ML-KEM encapsulation through the service", vectors.left_out, kMlKemKeyCases, kMlKemEncapsCases);
}

}  // namespace
}  // namespace wvds::test
