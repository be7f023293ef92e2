#pragma once

#include "crypto/library.h"
#include "keystore/tpm/tpm_header.h"
#include "keystore/tpm/tpm_key.h"

// PCR policies: PolicyPCR and PolicyAuthValue.
namespace wvds::keystore {

// check_bank is kStorageError, naming the banks that the TPM has, when `bank` is not one of them.
Result<> check_bank(const TpmConnection& tpm, TpmHash bank);

// read_pcrs gives the values of the policy's PCRs now, one after the other, as the TPM itself vouches for.
Result<std::vector<std::byte>> read_pcrs(const TpmConnection& tpm, const StorageKey& key, const PcrPolicy& policy);

// policy_digest is the digest of the policy with the values that `policy` has: TPM library specification, part 3,
// 23.7 and 23.17.
Result<std::vector<std::byte>> policy_digest(const crypto::Library& library, const PcrPolicy& policy);

// meet_policy makes a session of kind kPolicy meet the policy, with the PCRs as they are now.
Result<> meet_policy(const TpmConnection& tpm, const TpmHandle& session, const PcrPolicy& policy);

// changed_pcrs are the numbers of those whose value is not the policy's.
std::vector<uint32_t> changed_pcrs(const PcrPolicy& policy, Bytes values_now);

}  // namespace wvds::keystore
