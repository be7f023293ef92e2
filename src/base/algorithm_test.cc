#include "base/algorithm.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace wvds {
namespace {

TEST(AlgorithmInfo, KnowsTheSizesOfFips203And204) {
  EXPECT_EQ(algorithm_info(Algorithm::kMlDsa65)->signature, 3309u);
  EXPECT_EQ(algorithm_info(Algorithm::kMlDsa87)->public_key, kMaxPublicKeySize);
  EXPECT_EQ(algorithm_info(Algorithm::kMlDsa87)->signature, kMaxSignatureSize);
  EXPECT_EQ(algorithm_info(Algorithm::kMlKem768)->kem_ciphertext, 1088u);
  EXPECT_EQ(algorithm_info(Algorithm::kMlKem1024)->kem_ciphertext, kMaxKemCiphertextSize);
}

TEST(AlgorithmInfo, KnowsTheSizesOfEcdsa) {
  EXPECT_EQ(algorithm_info(Algorithm::kEcdsaP256)->secret, 32u);
  EXPECT_EQ(algorithm_info(Algorithm::kEcdsaP256)->public_key, 65u);
  EXPECT_EQ(algorithm_info(Algorithm::kEcdsaP256)->signature, 72u);
  EXPECT_EQ(algorithm_info(Algorithm::kEcdsaP384)->secret, 48u);
  EXPECT_EQ(algorithm_info(Algorithm::kEcdsaP384)->public_key, kMaxEcdsaPublicKeySize);
  EXPECT_EQ(algorithm_info(Algorithm::kEcdsaP384)->signature, kMaxEcdsaSignatureSize);
}

TEST(Algorithms, AreListedInTheOrderOfTheirValues) {
  EXPECT_TRUE(std::ranges::is_sorted(algorithms(), {}, &AlgorithmInfo::algorithm));
  for (int value = 0; value < 256; ++value) {
    const auto algorithm = static_cast<Algorithm>(value);
    const bool is_listed = std::ranges::find(algorithms(), algorithm, &AlgorithmInfo::algorithm) != algorithms().end();
    EXPECT_EQ(algorithm_info(algorithm) != nullptr, is_listed) << value;
    const int families = is_aes(algorithm) + is_ml_dsa(algorithm) + is_ml_kem(algorithm) + is_ecdsa(algorithm);
    EXPECT_TRUE(!is_listed || families == 1) << value;
  }
}

TEST(AlgorithmInfo, IsNullForWhatIsNoAlgorithm) {
  EXPECT_EQ(algorithm_info(Algorithm::kNone), nullptr);
  EXPECT_EQ(algorithm_info(static_cast<Algorithm>(0x32)), nullptr);
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

TEST(UsagesAreValid, GivesEcdsaNoMu) {
  EXPECT_TRUE(usages_are_valid(Algorithm::kEcdsaP256, Usage::kSign | Usage::kVerify | Usage::kTlsAndCsr));
  EXPECT_FALSE(usages_are_valid(Algorithm::kEcdsaP256, Usage::kSign | Usage::kSignMu));
}

TEST(HashName, RoundTrips) {
  for (const Hash hash : {Hash::kSha256, Hash::kSha384, Hash::kSha512})
    EXPECT_EQ(hash_from_name(hash_name(hash)), hash);
  EXPECT_EQ(hash_from_name("sha-384"), Hash::kSha384);
  EXPECT_EQ(hash_from_name("SHA-1"), std::nullopt);
}

TEST(HashSize, IsNoneForWhatIsNoHash) {
  EXPECT_EQ(hash_size(Hash::kSha512), kMaxHashSize);
  EXPECT_EQ(hash_size(Hash::kNone), 0u);
  EXPECT_EQ(hash_size(static_cast<Hash>(4)), 0u);
}

TEST(UsageName, RoundTrips) {
  for (unsigned bit = 1; bit <= 0x100; bit <<= 1) {
    const auto usage = static_cast<Usage>(bit);
    EXPECT_EQ(usage_from_name(usage_name(usage)), usage);
  }
}

}  // namespace
}  // namespace wvds
