#pragma once

#include <string>
#include <vector>

#include "keystore/store_rewrap.h"

namespace wvds::keystore {

// StoreFault is a blob that is not as it should be.
struct StoreFault {
  std::string name;  // "k-00000007"
  std::string what;
};

// StoreInspection is what a look at every blob of a store has found.
struct StoreInspection {
  size_t records = 0;       // that are there
  size_t versions = 0;      // of keys whose records are good
  size_t inside_token = 0;  // of these, versions whose secret is not in the store but in a token
  std::vector<StoreFault> faults;

  bool all_is_well() const { return faults.empty(); }
};

// inspect_store reads every blob of a store at rest and changes none: both headers and both indexes (whole, authentic,
// of this store), and every record (whole, authentic, no older than the index says, of the same owner and size, in
// place of none that was deleted; each secret gives its public key). A record that is newer than the index is no fault:
// the index follows. Fails only where the medium can't be listed.
Result<StoreInspection> inspect_store(Medium& medium, const crypto::Library& library, const OpenedStore& opened);

}  // namespace wvds::keystore
