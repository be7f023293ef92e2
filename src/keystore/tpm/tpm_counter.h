#pragma once

#include <string>

#include "keystore/tpm/auth_value.h"
#include "keystore/tpm/tpm_key.h"

namespace wvds::keystore {

// TpmCounter is a RollbackCounter in an NV index of the TPM (TPM library specification, part 1, 37.2.5: it never shows
// a value again, also not after it was removed and made anew). It can be read and advanced with the authorisation value
// only. Nothing of the TPM is held between two calls.
class TpmCounter final : public RollbackCounter {
 public:
  // prepare is for the store's making: it defines the NV index `nv_index` unless a counter of ours is there already,
  // and returns what it shows. kStorageError when the index is something else, or is under another authorisation value.
  static Result<uint64_t> prepare(const TpmConnection& tpm, const StorageKey& key, uint32_t nv_index, Bytes auth);

  // `auth` must outlive this.
  TpmCounter(std::string tcti, AuthValueFile& auth, PrimaryKind primary, const TpmName& name,
             const CounterFields& fields)
      : tcti_(std::move(tcti)), auth_(auth), primary_(primary), name_(name), fields_(fields) {}

  RollbackBinding binding() const override { return fields_.binding; }
  uint64_t first() const override { return fields_.first; }
  Result<uint64_t> read() override;
  Result<> advance_to(uint64_t value) override;

 private:
  const std::string tcti_;
  AuthValueFile& auth_;
  const PrimaryKind primary_;
  const TpmName name_;
  const CounterFields fields_;
};

}  // namespace wvds::keystore
