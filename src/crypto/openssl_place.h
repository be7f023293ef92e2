#pragma once

#include "crypto/providers.h"

namespace wvds::crypto {

// default_fips_files says where the FIPS module and its configuration are when the configuration names neither: with
// the libcrypto that this process uses, so that no place is built into a program. What it names need not exist.
FipsFiles default_fips_files();

}  // namespace wvds::crypto
