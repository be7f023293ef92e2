#include "protocol/operations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace wvds::protocol {
namespace {

TEST(Operations, ArePublishedWithTheirFixedValues) {
  const std::pair<uint8_t, std::string_view> kPublished[] = {
      {0x01, "AES_ENCRYPT"},  {0x02, "AES_DECRYPT"},  {0x10, "MLDSA_SIGN"},
      {0x11, "MLDSA_VERIFY"}, {0x18, "ECDSA_SIGN"},   {0x19, "ECDSA_VERIFY"},
      {0x20, "MLKEM_KEYGEN"}, {0x21, "MLKEM_ENCAPS"}, {0x22, "MLKEM_DECAPS"},
  };
  for (const auto& [type, name] : kPublished) {
    ASSERT_NE(operation_info(type), nullptr);
    EXPECT_EQ(operation_info(type)->name, name);
  }
}

TEST(Operations, AreFoundByTheirTypeOnly) {
  size_t found = 0;
  for (int type = 0; type < 256; ++type) {
    const OperationInfo* info = operation_info(static_cast<uint8_t>(type));
    if (info == nullptr) continue;
    ++found;
    EXPECT_EQ(static_cast<int>(info->operation), type);
  }
  EXPECT_EQ(found, operations().size());
}

TEST(Operations, HaveOneNameInTwoSpellings) {
  std::set<std::string> names;
  for (const OperationInfo& info : operations()) {
    std::string expected = info.name;
    std::ranges::transform(expected, expected.begin(),
                           [](char c) { return c == '_' ? '-' : static_cast<char>(tolower(c)); });
    EXPECT_EQ(info.config_name, expected);
    EXPECT_EQ(operation_from_config_name(info.config_name), info.operation);
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
  }
}

TEST(Operations, BelongToOneDaemonEach) {
  const auto crypto = operations_of(Daemon::kCryptoService), est = operations_of(Daemon::kEstService);
  EXPECT_EQ(crypto.size() + est.size(), operations().size());
  EXPECT_EQ(crypto.front().operation, Operation::kAesEncrypt);
  EXPECT_EQ(crypto.back().operation, Operation::kMetrics);
  EXPECT_EQ(est.front().operation, Operation::kEstStatus);
  EXPECT_EQ(est.back().operation, Operation::kEstRelay);
}

TEST(Operations, AreNotFoundByOtherNames) {
  EXPECT_EQ(operation_from_config_name(""), std::nullopt);
  EXPECT_EQ(operation_from_config_name("AES_ENCRYPT"), std::nullopt);
  EXPECT_EQ(operation_from_config_name("aes-encrypt "), std::nullopt);
}

}  // namespace
}  // namespace wvds::protocol
