#include <algorithm>
#include <array>
#include <cstring>
#include <set>

#include "support/daemon.h"
#include "vectors_e2e/vector_session.h"

namespace wvds::test {
namespace {

class FipsState : public VectorTest {
 protected:
  wvds_service_state state() {
    wvds_service_state state{};
    EXPECT_EQ(wvds_status_get(session(), &state), WVDS_SUCCESS);
    return state;
  }

  wvds_capability_list capabilities() {
    wvds_capability_list list{};
    EXPECT_EQ(wvds_capabilities(session(), &list), WVDS_SUCCESS);
    return list;
  }

  uint32_t generate(wvds_algorithm algorithm, uint32_t usages) {
    wvds_key_template wanted{};
    wanted.algorithm = algorithm;
    wanted.lifetime = WVDS_LIFETIME_SESSION;
    wanted.usages = usages;
    uint32_t id = 0;
    EXPECT_EQ(wvds_key_generate(session(), &id, nullptr, nullptr, 0, &wanted), WVDS_SUCCESS);
    return id;
  }
};

TEST_F(FipsState, StatusNamesTheFipsProviderAsTheOneThatServes) {
  const wvds_service_state now = state();
  EXPECT_EQ(now.fips_mode, static_cast<uint32_t>(WVDS_FIPS_MODE_REQUIRED));
  EXPECT_EQ(now.fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
  EXPECT_NE(std::strstr(now.provider, "FIPS"), nullptr) << now.provider;
}

TEST_F(FipsState, CapabilitiesOfferEveryAlgorithmWithFipsActive) {
  const wvds_capability_list list = capabilities();
  EXPECT_EQ(list.fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
  std::set<uint32_t> offered;
  for (uint32_t i = 0; i < list.num_algorithms; ++i) {
    EXPECT_EQ(list.algorithms[i].is_inside_fips, 1u) << list.algorithms[i].provider;
    offered.insert(list.algorithms[i].algorithm);
  }
  EXPECT_EQ(offered, (std::set<uint32_t>{WVDS_AES_256_GCM, WVDS_MLDSA_44, WVDS_MLDSA_65, WVDS_MLDSA_87, WVDS_MLKEM_512,
                                         WVDS_MLKEM_768, WVDS_MLKEM_1024, WVDS_ECDSA_P256, WVDS_ECDSA_P384}));
}

TEST_F(FipsState, AesWorksInFipsMode) {
  const uint32_t key = generate(WVDS_AES_256_GCM, 0);
  const std::array<uint8_t, 5> plaintext{1, 2, 3, 4, 5};
  std::array<uint8_t, WVDS_AES_ENCRYPT_OUTPUT_SIZE(5)> sealed{};
  std::array<uint8_t, 5> opened{};
  size_t length = 0;
  ASSERT_EQ(wvds_aes_encrypt(session(), sealed.data(), &length, sealed.size(), key, plaintext.data(), plaintext.size(),
                             nullptr, 0),
            WVDS_SUCCESS);
  ASSERT_EQ(
      wvds_aes_decrypt(session(), opened.data(), &length, opened.size(), key, sealed.data(), sealed.size(), nullptr, 0),
      WVDS_SUCCESS);
  EXPECT_EQ(opened, plaintext);
  EXPECT_EQ(state().fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
}

TEST_F(FipsState, MlDsaWorksInFipsMode) {
  const std::array<uint8_t, 3> message{7, 8, 9};
  for (const wvds_algorithm algorithm : {WVDS_MLDSA_44, WVDS_MLDSA_65, WVDS_MLDSA_87}) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    const uint32_t key = generate(algorithm, 0);
    std::array<uint8_t, WVDS_MLDSA_MAX_SIGNATURE_SIZE> signature{};
    size_t length = 0;
    ASSERT_EQ(wvds_mldsa_sign(session(), signature.data(), &length, signature.size(), key, message.data(),
                              message.size(), nullptr, 0, 0),
              WVDS_SUCCESS);
    const wvds_public_key by_id = wvds_public_key_by_id(key);
    EXPECT_EQ(
        wvds_mldsa_verify(session(), &by_id, signature.data(), length, message.data(), message.size(), nullptr, 0, 0),
        WVDS_SUCCESS);
  }
  EXPECT_EQ(state().fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
}

TEST_F(FipsState, MlKemWorksInFipsMode) {
  for (const wvds_algorithm algorithm : {WVDS_MLKEM_512, WVDS_MLKEM_768, WVDS_MLKEM_1024}) {
    SCOPED_TRACE(wvds_algorithm_name(algorithm));
    const uint32_t key = generate(algorithm, WVDS_USAGE_ENCAPSULATE | WVDS_USAGE_DECAPS_RAW);
    std::array<uint8_t, WVDS_MLKEM_SHARED_SECRET_SIZE> sent{}, received{};
    std::array<uint8_t, WVDS_MLKEM_MAX_CIPHERTEXT_SIZE> ciphertext{};
    size_t length = 0;
    const wvds_public_key by_id = wvds_public_key_by_id(key);
    ASSERT_EQ(wvds_mlkem_encaps(session(), sent.data(), ciphertext.data(), &length, ciphertext.size(), &by_id),
              WVDS_SUCCESS);
    ASSERT_EQ(wvds_mlkem_decaps(session(), received.data(), key, ciphertext.data(), length), WVDS_SUCCESS);
    EXPECT_EQ(sent, received);
  }
  EXPECT_EQ(state().fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
}

TEST_F(FipsState, RandomBytesComeInFipsMode) {
  std::array<uint8_t, 64> first{}, second{};
  ASSERT_EQ(wvds_random(session(), first.data(), first.size()), WVDS_SUCCESS);
  ASSERT_EQ(wvds_random(session(), second.data(), second.size()), WVDS_SUCCESS);
  EXPECT_NE(first, second);
  EXPECT_EQ(state().fips_state, static_cast<uint32_t>(WVDS_FIPS_ACTIVE));
}

}  // namespace
}  // namespace wvds::test
