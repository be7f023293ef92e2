#pragma once

#include <optional>
#include <string>

#include "base/result.h"

// The device file of a TPM, for messages that say more than the TPM software stack does. One implementation for each
// operating system.
namespace wvds::keystore {

// tpm_device_of gives the device file of a TCTI text such as "device:/dev/tpmrm0"; nothing where it names none.
std::optional<std::string> tpm_device_of(const std::string& tcti);

// check_tpm_device opens the device file, if `tcti` names one, and closes it again. kStorageError with cause and cure:
// not there, no permission, in use.
Result<> check_tpm_device(const std::string& tcti);

}  // namespace wvds::keystore
