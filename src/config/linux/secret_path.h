#pragma once

#include <string>

#include "base/result.h"
#include "config/secret_source.h"

namespace wvds::config {

// secret_path is the file that a secret is handed over in. kStorageError for a credential where the service manager
// handed none over. Not for a source that is a prompt.
Result<std::string> secret_path(const SecretSource& source);

}  // namespace wvds::config
