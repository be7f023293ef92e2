#include "service/op_table.h"

#include <gtest/gtest.h>

namespace wvds::service {
namespace {

TEST(OpTable, HasExactlyTheOperationsOfTheProtocol) {
  const auto operations = protocol::operations_of(protocol::Daemon::kCryptoService);
  ASSERT_EQ(op_table().size(), operations.size());
  for (size_t i = 0; i < op_table().size(); ++i) {
    EXPECT_EQ(op_table()[i].operation, operations[i].operation);
    EXPECT_NE(op_table()[i].handler, nullptr);
  }
}

TEST(OpTable, FindsEachTypeAndNoOther) {
  size_t found = 0;
  for (unsigned type = 0; type < 256; ++type) {
    const OpEntry* entry = op_entry(static_cast<uint8_t>(type));
    const protocol::OperationInfo* info = protocol::operation_info(static_cast<uint8_t>(type));
    EXPECT_EQ(entry != nullptr, info != nullptr && info->daemon == protocol::Daemon::kCryptoService) << type;
    if (entry == nullptr) continue;
    EXPECT_EQ(static_cast<unsigned>(entry->operation), type);
    ++found;
  }
  EXPECT_EQ(found, op_table().size());
}

TEST(OpTable, WipesTheRequestThatCarriesASecret) {
  for (const OpEntry& entry : op_table()) {
    EXPECT_EQ(entry.wipe_request, entry.operation == protocol::Operation::kKeyImport);
  }
}

}  // namespace
}  // namespace wvds::service
