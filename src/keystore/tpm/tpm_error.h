#pragma once

#include <string>

#include "keystore/tpm/tss_library.h"

namespace wvds::keystore {

// tpm_code strips from a response code what says which parameter, handle or session it is about and which layer of the
// software stack passed it on: what is left is a TPM2_RC_ constant, or 0 for an error of the software stack itself.
TPM2_RC tpm_code(TSS2_RC code);

// is_tpm_gone tells whether the TPM could not be reached at all.
bool is_tpm_gone(TSS2_RC code);

// tpm_failed is kStorageError with "the TPM could not ACTION: CAUSE: CURE (CODE)".
std::unexpected<Error> tpm_failed(const TssLibrary& tss, TSS2_RC code, const std::string& action);

}  // namespace wvds::keystore
