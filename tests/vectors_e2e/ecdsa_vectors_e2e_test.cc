#include "vectors_e2e/vector_session.h"

namespace wvds::test {
namespace {

using EcdsaVectors = VectorTest;

// expected_verdict: an impossible length is told apart from a wrong signature.
wvds_status expected_verdict(const EcdsaVerifyCase& test) {
  if (test.valid) return WVDS_SUCCESS;
  const bool is_possible =
      !test.signature.empty() && test.signature.size() <= algorithm_info(test.algorithm)->signature;
  return is_possible ? WVDS_SIGNATURE_INVALID : WVDS_INVALID_PAYLOAD;
}

TEST_F(EcdsaVectors, VerifyWithRawPublicKeysThroughTheService) {
  const Vectors<EcdsaVerifyCase> vectors = ecdsa_verify_vectors();
  Tally tally;
  for (const EcdsaVerifyCase& test : vectors.cases) {
    SCOPED_TRACE(test.id);
    const wvds_public_key key = wvds_public_key_raw(static_cast<wvds_algorithm>(test.algorithm),
                                                    octets_of(test.public_key), test.public_key.size());
    const wvds_status status =
        wvds_ecdsa_verify(session(), &key, octets_of(test.signature), test.signature.size(), octets_of(test.message),
                          test.message.size(), static_cast<wvds_hash>(test.hash), 0);
    EXPECT_STREQ(wvds_status_name(status), wvds_status_name(expected_verdict(test)));
    tally.ran();
  }
  tally.finish("ECDSA verification through the service", vectors.left_out, kEcdsaVerifyCases);
}

}  // namespace
}  // namespace wvds::test
