#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "keystore/file/file_protector.h"
#include "keystore/protector.h"
#include "keystore/tpm/tpm_header.h"

// The protector whose key-encryption key is sealed to a TPM 2.0. docs/storage-format.md, "Protector tpm", has its
// header.
namespace wvds::keystore {

struct TpmSettings {
  std::string tcti;  // how the TPM is reached, as TSS 2.0 writes it: "device:/dev/tpmrm0"
  FileName auth;     // the authorisation value, 32 bytes
  WhenMissing auth_when_missing = WhenMissing::kMake;
  TpmHash pcr_bank = TpmHash::kSha256;  // what follows is for create; unlock goes by the store's header
  std::vector<uint32_t> pcrs = {};      // none: no PCR policy
  std::optional<uint32_t> rollback_nv_index = std::nullopt;
  bool limits_guesses = false;  // wrong authorisation values count towards the TPM's lockout
  std::vector<PrimaryKind> primaries = {PrimaryKind::kEccP256, PrimaryKind::kRsa2048};  // the first that the TPM knows
};

// make_tpm_protector uses the TPM's storage hierarchy, whose authorisation value must be empty. create makes the file
// with the authorisation value where it is missing, durably, and the rollback counter's NV index. Nothing else is left
// in the TPM, and nothing is held between two calls. create and unlock block for some tenths of a second with a real
// TPM.
std::unique_ptr<Protector> make_tpm_protector(TpmSettings settings);

// check_tpm looks whether a store could be made with `settings` as far as the TPM goes, and leaves nothing behind: it
// answers, its storage hierarchy is open, it has the bank of PCRs. Errors as those of create.
Result<> check_tpm(const TpmSettings& settings);

}  // namespace wvds::keystore
