#pragma once

#include <string>

#include "base/result.h"
#include "keystore/hsm/pkcs11_types.h"

namespace wvds::keystore::hsm {

// load_module loads a PKCS#11 module into this process, for good. Only a file that nobody but root and this user can
// write is loaded. kStorageError with a detail that says what is wrong with it.
Result<Module> load_module(const std::string& path);

}  // namespace wvds::keystore::hsm
