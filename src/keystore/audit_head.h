#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"
#include "keystore/format.h"

namespace wvds::keystore {

// AuditHead is the last entry of the audit log: its number and its hash. The store's index carries it, so that a log
// that lost its end, or was written anew, shows.
struct AuditHead {
  uint64_t number = 0;  // 0: there is none
  std::array<std::byte, 32> hash{};

  bool operator==(const AuditHead&) const = default;
};

// audit_head_of takes it from an index' extensions: number 0 where there is none. set_audit_head puts it there.
AuditHead audit_head_of(const Extensions& extensions);
void set_audit_head(Extensions& extensions, const AuditHead& head);

// forget_audit_head is for a store that comes to another place, where no log leads up to it.
void forget_audit_head(Extensions& extensions);

}  // namespace wvds::keystore
