#include "base/algorithm.h"

#include <gtest/gtest.h>

namespace wvds {
namespace {

TEST(AlgorithmInfo, KnowsTheSizesOfFips203And204) {
  EXPECT_EQ(algorithm_info(Algorithm::kMlDsa65)->signature, 3309u);
  EXPECT_EQ(algorithm_info(Algorithm::kMlDsa87)->public_key, kMaxPublicKeySize);
  EXPECT_EQ(algorithm_info(Algorithm::kMlDsa87)->signature, kMaxSignatureSize);
  EXPECT_EQ(algorithm_info(Algorithm::kMlKem768)->kem_ciphertext, 1088u);
  EXPECT_EQ(algorithm_info(Algorithm::kMlKem1024)->kem_ciphertext, kMaxKemCiphertextSize);
}

TEST(AlgorithmInfo, IsNullForWhatIsNoAlgorithm) {
  EXPECT_EQ(algorithm_info(Algorithm::kNone), nullptr);
  EXPECT_EQ(algorithm_info(static_cast<Algorithm>(0x13)), nullptr);
}

TEST(AlgorithmFromName, IgnoresCase) {
  EXPECT_EQ(algorithm_from_name("ml-kem-768"), Algorithm::kMlKem768);
  EXPECT_EQ(algorithm_from_name("ml-kem-769"), std::nullopt);
}

TEST(UsagesAreValid, RefusesBothKindsOfDecapsulationOnOneKey) {
  EXPECT_TRUE(usages_are_valid(Algorithm::kMlKem768, Usage::kEncapsulate | Usage::kDecapsRaw));
  EXPECT_TRUE(usages_are_valid(Algorithm::kMlKem768, Usage::kEncapsulate | Usage::kDecapsToKey));
  EXPECT_FALSE(usages_are_valid(Algorithm::kMlKem768, Usage::kDecapsRaw | Usage::kDecapsToKey));
}

TEST(UsagesAreValid, RefusesForeignAndEmptyUsages) {
  EXPECT_FALSE(usages_are_valid(Algorithm::kAes256Gcm, Usage::kEncrypt | Usage::kSign));
  EXPECT_FALSE(usages_are_valid(Algorithm::kMlDsa65, 0));
}

TEST(UsageName, RoundTrips) {
  for (unsigned bit = 1; bit <= 0x100; bit <<= 1) {
    const auto usage = static_cast<Usage>(bit);
    EXPECT_EQ(usage_from_name(usage_name(usage)), usage);
  }
}

}  // namespace
}  // namespace wvds
