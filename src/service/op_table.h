#pragma once

#include <cstdint>
#include <span>

#include "protocol/operations.h"
#include "service/request_context.h"

namespace wvds::service {

// OpEntry is how the service does one operation. Who may ask for it, the principal's operations say (Principal::may).
struct OpEntry {
  protocol::Operation operation;
  Handler handler;
  bool management;    // each success is logged, not only failures
  bool wipe_request;  // the request carries a secret
};

// op_table has one entry for each operation of crypto_service, in the order of protocol::operations().
std::span<const OpEntry> op_table();

// op_row is where an entry's requests are counted: its place in the table, counted from 1; 0 for none.
size_t op_row(const OpEntry* entry);

// op_entry returns nullptr for a type that is not in the table.
const OpEntry* op_entry(uint8_t type);

}  // namespace wvds::service
