#include "config/linux/secret_path.h"

#include <cstdlib>

namespace wvds::config {

Result<std::string> secret_path(const config::SecretSource& source) {
  if (source.credential.empty()) return source.file;
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder != nullptr && *folder == '/') return std::string(folder) + "/" + source.credential;
  return fail(Status::kStorageError,
              "the credential \"" + source.credential +
                  "\" is not there: the service manager hands credentials over, so start the service by it, with "
                  "LoadCredential= or LoadCredentialEncrypted= in its unit");
}

}  // namespace wvds::config
