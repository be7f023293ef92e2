#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/algorithm.h"
#include "client/guard.h"
#include "protocol/operations.h"

namespace wvds::client {
namespace {

TEST(StatusText, IsThereForEveryStatusAndTellsThemApart) {
  const std::string unknown = wvds_status_text(static_cast<wvds_status>(0x7f));
  std::set<std::string> texts;
  for (int value = 0; value < 256; ++value) {
    const auto status = static_cast<wvds_status>(value);
    const std::string name = wvds_status_name(status), text = wvds_status_text(status);
    if (name == "UNKNOWN_STATUS") {
      EXPECT_EQ(text, unknown) << value;
      continue;
    }
    EXPECT_TRUE(texts.insert(text).second) << name;
    EXPECT_NE(text, unknown) << name;
    EXPECT_TRUE(text.ends_with('.')) << text;
  }
  EXPECT_EQ(texts.size(), 37u);
}

TEST(AlgorithmName, IsThatOfFips) {
  EXPECT_STREQ(wvds_algorithm_name(WVDS_MLKEM_768), "ML-KEM-768");
  EXPECT_STREQ(wvds_algorithm_name(WVDS_AES_256_GCM), "AES-256-GCM");
  EXPECT_STREQ(wvds_algorithm_name(WVDS_ECDSA_P384), "ECDSA-P384");
  EXPECT_EQ(wvds_algorithm_name(0), nullptr);
  EXPECT_EQ(wvds_algorithm_name(0x101), nullptr);
  EXPECT_EQ(wvds_algorithm_from_name("ml-dsa-65"), static_cast<wvds_algorithm>(WVDS_MLDSA_65));
  EXPECT_EQ(wvds_algorithm_from_name("rsa"), 0u);
  EXPECT_EQ(wvds_algorithm_from_name(nullptr), 0u);
}

TEST(OperationName, IsThatOfTheProtocol) {
  EXPECT_STREQ(wvds_operation_name(WVDS_OP_MLKEM_DECAPS_TO_KEY), "MLKEM_DECAPS_TO_KEY");
  EXPECT_EQ(wvds_operation_name(0), nullptr);
  EXPECT_EQ(wvds_operation_name(0x101), nullptr);
}

TEST(OperationConstants, AreThoseOfTheProtocol) {
  const std::pair<wvds_operation, const char*> kConstants[] = {
      {WVDS_OP_AES_ENCRYPT, "AES_ENCRYPT"},
      {WVDS_OP_AES_DECRYPT, "AES_DECRYPT"},
      {WVDS_OP_MLDSA_SIGN, "MLDSA_SIGN"},
      {WVDS_OP_MLDSA_VERIFY, "MLDSA_VERIFY"},
      {WVDS_OP_ECDSA_SIGN, "ECDSA_SIGN"},
      {WVDS_OP_ECDSA_VERIFY, "ECDSA_VERIFY"},
      {WVDS_OP_MLKEM_KEYGEN, "MLKEM_KEYGEN"},
      {WVDS_OP_MLKEM_ENCAPS, "MLKEM_ENCAPS"},
      {WVDS_OP_MLKEM_DECAPS, "MLKEM_DECAPS"},
      {WVDS_OP_MLKEM_ENCAPS_TO_KEY, "MLKEM_ENCAPS_TO_KEY"},
      {WVDS_OP_MLKEM_DECAPS_TO_KEY, "MLKEM_DECAPS_TO_KEY"},
      {WVDS_OP_KEY_GENERATE, "KEY_GENERATE"},
      {WVDS_OP_KEY_IMPORT, "KEY_IMPORT"},
      {WVDS_OP_KEY_PUBLIC, "KEY_PUBLIC"},
      {WVDS_OP_KEY_LIST, "KEY_LIST"},
      {WVDS_OP_KEY_INFO, "KEY_INFO"},
      {WVDS_OP_KEY_ROTATE, "KEY_ROTATE"},
      {WVDS_OP_KEY_RETIRE, "KEY_RETIRE"},
      {WVDS_OP_KEY_DELETE, "KEY_DELETE"},
      {WVDS_OP_RANDOM, "RANDOM"},
      {WVDS_OP_PING, "PING"},
      {WVDS_OP_STATUS, "STATUS"},
      {WVDS_OP_CAPABILITIES, "CAPABILITIES"},
      {WVDS_OP_METRICS, "METRICS"},
      {WVDS_OP_EST_STATUS, "EST_STATUS"},
      {WVDS_OP_EST_CERTIFICATE, "EST_CERTIFICATE"},
      {WVDS_OP_EST_CA_CERTIFICATES, "EST_CA_CERTIFICATES"},
      {WVDS_OP_EST_WAIT, "EST_WAIT"},
      {WVDS_OP_EST_RENEW, "EST_RENEW"},
      {WVDS_OP_EST_RELAY, "EST_RELAY"},
  };
  EXPECT_EQ(std::size(kConstants), protocol::operations().size());
  for (const auto& [operation, name] : kConstants) EXPECT_STREQ(wvds_operation_name(operation), name);
}

TEST(SizeMacros, AreTheSizesOfTheAlgorithms) {
  for (const Algorithm algorithm : {Algorithm::kMlDsa44, Algorithm::kMlDsa65, Algorithm::kMlDsa87}) {
    const auto value = static_cast<wvds_algorithm>(algorithm);
    EXPECT_EQ(WVDS_MLDSA_PUBLIC_KEY_SIZE(value), algorithm_info(algorithm)->public_key);
    EXPECT_EQ(WVDS_MLDSA_SIGNATURE_SIZE(value), algorithm_info(algorithm)->signature);
    EXPECT_EQ(WVDS_MLKEM_PUBLIC_KEY_SIZE(value), 0u);
  }
  for (const Algorithm algorithm : {Algorithm::kMlKem512, Algorithm::kMlKem768, Algorithm::kMlKem1024}) {
    const auto value = static_cast<wvds_algorithm>(algorithm);
    EXPECT_EQ(WVDS_MLKEM_PUBLIC_KEY_SIZE(value), algorithm_info(algorithm)->public_key);
    EXPECT_EQ(WVDS_MLKEM_CIPHERTEXT_SIZE(value), algorithm_info(algorithm)->kem_ciphertext);
    EXPECT_EQ(WVDS_MLDSA_SIGNATURE_SIZE(value), 0u);
  }
}

TEST(SizeMacros, AreTheSizesOfEcdsaAndItsHashes) {
  for (const Algorithm algorithm : {Algorithm::kEcdsaP256, Algorithm::kEcdsaP384}) {
    const auto value = static_cast<wvds_algorithm>(algorithm);
    EXPECT_EQ(WVDS_ECDSA_PUBLIC_KEY_SIZE(value), algorithm_info(algorithm)->public_key);
    EXPECT_EQ(WVDS_ECDSA_SCALAR_SIZE(value), algorithm_info(algorithm)->secret);
    EXPECT_LE(algorithm_info(algorithm)->signature, WVDS_ECDSA_MAX_SIGNATURE_SIZE);
    EXPECT_EQ(WVDS_MLDSA_PUBLIC_KEY_SIZE(value), 0u);
  }
  EXPECT_EQ(WVDS_ECDSA_PUBLIC_KEY_SIZE(WVDS_MLDSA_65), 0u);
  EXPECT_EQ(WVDS_ECDSA_SCALAR_SIZE(WVDS_MLDSA_65), 0u);
  for (const wvds_hash hash : {wvds_hash{0}, wvds_hash{1}, wvds_hash{2}, wvds_hash{3}, wvds_hash{4}}) {
    EXPECT_EQ(WVDS_HASH_SIZE(hash), hash_size(static_cast<Hash>(hash)));
  }
}

TEST(LibraryVersion, IsThere) { EXPECT_NE(std::string(wvds_library_version()), ""); }

}  // namespace
}  // namespace wvds::client
